"""Training a reconstructor: from upper halves to lower halves.

Features of a wholly frozen encoder are computed once and kept on disk, as float16, for the training
run: in `.checkpoints/<run>/features/`, and they go with that folder. Their name holds a checksum of
everything that determines them, so a run that goes on after an interruption finds its own and no
other.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from unmask.core.checksum import append_checksum
from unmask.core.files import atomic_folder, open_array
from unmask.core.section import check
from unmask.models.batches import to_pixels
from unmask.models.folder import build, reconstructor_config
from unmask.models.inference import outputs
from unmask.models.registry import load
from unmask.params.models import NOBODY, Reconstructor, Train
from unmask.pictures import save_training_grid, some_of
from unmask.training.checkpoint import fingerprint
from unmask.training.process_group import Compute, ProcessGroup
from unmask.training.record import TrainingProgress
from unmask.training.run import Inputs, begin, load_pretrained, train_and_save
from unmask.training.teachers import cross_fitted

_PICTURES_EVERY = 5  # epochs


@runtime_checkable
class Freezable(Protocol):
    """A reconstructor whose encoder can be frozen.

    encoder: maps upper halves to a list of feature maps; decoder: maps those to lower halves.
    encoder_is_frozen: whether the feature maps of a face never change.
    """

    encoder: nn.Module
    decoder: nn.Module
    encoder_is_frozen: bool


def train_reconstructor(
    name: str,
    halves: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    rows: tuple[NDArray[np.int64], NDArray[np.int64]],
    entry: Reconstructor,
    train: Train,
    run: str,
    source: Mapping[str, Any],
    teacher: str = NOBODY,
    *,
    one_of_several: bool = False,
) -> ProcessGroup:
    """Train the reconstructor `name` and write what `train_and_save` does for `run`.

    halves: upper and lower halves, uint8 [N,24,48] each; rows: which of them to train and to
    validate on; source: where the faces come from; teacher: see `params.models.Recon`.
    Returns the processes that shared the work.
    """
    key, objective = f"reconstructors.{name}", entry.objective
    settings = train.reconstructor.overridden(entry.train, key)
    module = load("objectives", objective.name)
    given, taught = dict(objective.settings), None
    if teacher != NOBODY and "teachers" in module.Params.model_fields:
        taught = cross_fitted(teacher)
        given["teachers"] = [str(folder) for folder in taught.teachers]
    params = check(module.Params, given, f"{key}.objective")

    trained = {**source, "objective": objective.model_dump()}
    config = reconstructor_config(name, entry.settings, trained)

    compute = begin(train)
    model = build(config)
    learner, features, facts = model, dict[str, NDArray[np.float16]](), load_pretrained(model)
    if isinstance(model, Freezable) and model.encoder_is_frozen and not settings.augments:
        used = np.concatenate(rows)
        architecture = [config.architecture, config.settings]
        features = keep_features(run, model.encoder, architecture, halves[0], used, compute)
        learner = model.decoder
    learning = module.build(learner, params, settings, compute)
    arrays: dict[str, NDArray[Any]] = {"upper": halves[0], "lower": halves[1], **features}
    if taught and learning.frozen:
        arrays["fold"], facts["teacher"] = taught.fold, teacher
    train_and_save(
        run,
        model,
        config,
        learning,
        Inputs(arrays, *rows),
        settings,
        train,
        compute,
        facts=facts,
        pictures=lambda folder: _Pictures(folder, model, *halves, rows[1]),
        one_of_several=one_of_several,
    )
    return compute.group


class _Pictures:
    """Draws the same validation faces after the first epoch and after every fifth."""

    def __init__(
        self,
        folder: Path,
        model: nn.Module,
        upper: NDArray[np.uint8],
        lower: NDArray[np.uint8],
        rows: NDArray[np.int64],
    ) -> None:
        self._folder, self._model, self._upper, self._lower = folder, model, upper, lower
        self._rows = some_of(rows)

    def __call__(self, epoch: int) -> None:
        """Draw the grid of `epoch`, counted from 0, if it is one of those to be drawn."""
        if epoch and (epoch + 1) % _PICTURES_EVERY:
            return
        batches = outputs(self._model, self._upper, self._rows)
        generated = np.concatenate([to_pixels(lower) for _, lower in batches])
        file = self._folder / f"epoch_{epoch + 1:03}.png"
        save_training_grid(file, self._upper[self._rows], self._lower[self._rows], generated)


def keep_features(
    run: str,
    encoder: nn.Module,
    architecture: object,
    upper: NDArray[np.uint8],
    rows: NDArray[np.int64],
    compute: Compute,
) -> dict[str, NDArray[np.float16]]:
    """Return arrays [N,...], one for each feature map of `encoder`, with the given rows filled.

    encoder: maps float [B,1,24,48] to a list of feature maps [B,C,h,w]; architecture: what was
        built, as JSON: weights alone do not say at which size it looks at a face.
    upper: uint8 [N,24,48]; a row number means the same face in the features as there.
    compute: what would compute them in each epoch, at the same precision, if they were not kept.
    """
    name = fingerprint(
        {"upper": upper, "rows": rows}, [encoder], architecture, compute.precision
    )  # fmt: skip
    folder = Path(".checkpoints") / run / "features" / name
    if not folder.exists() and not compute.group.rank:
        with atomic_folder(folder) as temporary, compute.autocast():
            _compute(run, encoder, upper, rows, temporary)
    compute.group.wait()
    return {f"feature_{path.stem}": open_array(path) for path in sorted(folder.iterdir())}


def _compute(
    run: str,
    encoder: nn.Module,
    upper: NDArray[np.uint8],
    rows: NDArray[np.int64],
    folder: Path,
) -> None:
    progress, done = TrainingProgress(run), 0
    arrays: list[NDArray[np.float16]] = []
    try:
        for batch, maps in outputs(encoder, upper, rows):
            if not arrays:
                arrays = [_create(folder, i, len(upper), m) for i, m in enumerate(maps)]
            for array, feature in zip(arrays, maps, strict=True):
                array[batch] = feature.to(torch.float16).cpu().numpy()
            done += len(batch)
            progress.features(done / len(rows))
    finally:
        progress.close()
    for path in sorted(folder.iterdir()):
        append_checksum(path)


def _create(folder: Path, number: int, length: int, like: Tensor) -> NDArray[np.float16]:
    """Create an array for `length` faces."""
    array: NDArray[np.float16] = np.lib.format.open_memmap(
        folder / f"{number}.npy", mode="w+", dtype=np.float16, shape=(length, *like.shape[1:])
    )
    if hasattr(os, "posix_fallocate"):
        # Where the disk is full this fails; writing into the mapping would kill the process.
        with (folder / f"{number}.npy").open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, os.fstat(file.fileno()).st_size)
    return array

"""Features of a wholly frozen encoder, computed once and kept on disk for the training run.

They stand in `.checkpoints/<run>/features/`, as float16, and go with that folder. Their name holds
a checksum of all that determines them, so a run that goes on after an interruption finds its own
and no other.
"""

import os
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from unmask.core.checksum import append_checksum
from unmask.core.compute.device import Compute
from unmask.core.compute.inference import outputs
from unmask.core.files import open_array, whole_folder
from unmask.training.engine.fingerprint import fingerprint
from unmask.training.engine.progress import TrainingProgress


def keep_features(
    run: str,
    encoder: nn.Module,
    upper: NDArray[np.uint8],
    rows: NDArray[np.int64],
    machine: Compute,
) -> list[NDArray[np.float16]]:
    """Return arrays [N,...], one for each feature map of `encoder`, with the given rows filled.

    encoder: maps float [B,1,24,48] to a list of feature maps [B,C,h,w].
    upper: uint8 [N,24,48]; a row number means the same face in the features as there.
    machine: what would compute them in each epoch, at the same precision, if they were not kept.
    """
    weights = [tensor.cpu().numpy() for tensor in encoder.state_dict().values() if tensor.ndim]
    name = fingerprint([upper, rows, *weights], machine.precision)
    folder = Path(".checkpoints") / run / "features" / name
    if not folder.exists() and not machine.team.rank:
        with whole_folder(folder) as temporary, machine.autocast():
            _compute(run, encoder, upper, rows, temporary)
    machine.team.wait()
    return [open_array(path) for path in sorted(folder.iterdir())]


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

"""Training a reconstructor: from upper halves to lower halves."""

from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from torch import nn

from unmask.core.compute.models import build_reconstructor
from unmask.core.params.models import Reconstructor
from unmask.core.params.registry import load
from unmask.core.params.section import check
from unmask.core.params.training import Train
from unmask.training.engine.run import Inputs, prepare, train_and_save
from unmask.training.reconstructor.features import keep_features
from unmask.training.reconstructor.pictures import Pictures


@runtime_checkable
class Pretrainable(Protocol):
    """A reconstructor whose encoder can have weights from elsewhere, and can be frozen.

    encoder: maps upper halves to a list of feature maps; decoder: maps those to lower halves.
    encoder_is_frozen: whether the feature maps of a face never change.
    """

    encoder: nn.Module
    decoder: nn.Module
    encoder_is_frozen: bool

    def load_pretrained(self) -> dict[str, Any]:
        """Load the encoder's weights; return what says which they are."""


def train_reconstructor(
    name: str,
    halves: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    rows: tuple[NDArray[np.int64], NDArray[np.int64]],
    entry: Reconstructor,
    train: Train,
    run: str,
) -> None:
    """Train the reconstructor `name` and write what `train_and_save` does for `run`.

    halves: upper and lower halves, uint8 [N,24,48] each; rows: which of them to train and to
    validate on.
    """
    key = f"reconstructors.{name}"
    settings = entry.training(train.reconstructor, key)
    module = load("training.objectives", entry.objective.name)
    params = check(module.Params, entry.objective.settings, f"{key}.objective")

    machine = prepare(train)
    model = build_reconstructor(name, entry)
    learner, features, facts = model, list[NDArray[np.float16]](), dict[str, Any]()
    if isinstance(model, Pretrainable):
        facts = model.load_pretrained()
        if model.encoder_is_frozen and not settings.augments:
            used = np.concatenate(rows)
            features = keep_features(run, model.encoder, halves[0], used, machine)
            learner = model.decoder
    train_and_save(
        run,
        model,
        module.build(learner, params, settings, machine),
        Inputs([*halves, *features], *rows),
        settings,
        train,
        machine,
        identity=entry.model_dump(),
        facts=facts,
        pictures=lambda folder: Pictures(folder, model, *halves, rows[1]),
    )

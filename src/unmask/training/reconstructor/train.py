"""Training a reconstructor: from upper halves to lower halves."""

from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from torch import nn

from unmask.core.compute.models import build_reconstructor
from unmask.core.faces import TRAIN as TRAIN_SPLIT
from unmask.core.faces import VALIDATION as VALIDATION_SPLIT
from unmask.core.faces import rows_of
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
    split: NDArray[np.uint8],
    keep: NDArray[np.bool_],
    entry: Reconstructor,
    train: Train,
) -> None:
    """Train the reconstructor `name` and write what `train_and_save` does.

    halves: upper and lower halves, uint8 [N,24,48] each.
    """
    key = f"reconstructors.{name}"
    settings = entry.training(train.reconstructor, key)
    train_rows = rows_of(split, TRAIN_SPLIT, keep)
    validation_rows = rows_of(split, VALIDATION_SPLIT, keep)
    module = load("training.objectives", entry.objective.name)
    params = check(module.Params, entry.objective.settings, f"{key}.objective")

    machine = prepare(train)
    model = build_reconstructor(name, entry)
    learner, features, facts = model, list[NDArray[np.float16]](), dict[str, Any]()
    if isinstance(model, Pretrainable):
        facts = model.load_pretrained()
        if model.encoder_is_frozen and not settings.augments:
            rows = np.concatenate([train_rows, validation_rows])
            features = keep_features(f"reconstructors/{name}", model.encoder, halves[0], rows)
            learner = model.decoder
    train_and_save(
        f"reconstructors/{name}",
        model,
        module.build(learner, params, settings, machine),
        Inputs([*halves, *features], train_rows, validation_rows),
        settings,
        train,
        machine,
        identity=entry.model_dump(),
        facts=facts,
        pictures=lambda folder: Pictures(folder, model, *halves, validation_rows),
    )

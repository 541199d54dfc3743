"""Training a reconstructor: from upper halves to lower halves."""

import numpy as np
from numpy.typing import NDArray

from unmask.compute import Compute
from unmask.faces import TRAIN as TRAIN_SPLIT
from unmask.faces import VALIDATION as VALIDATION_SPLIT
from unmask.faces import rows_of
from unmask.models import build_reconstructor
from unmask.params.models import Reconstructor
from unmask.params.section import check
from unmask.params.training import Train
from unmask.registry import load
from unmask.training.objective import Objective
from unmask.training.pictures import Pictures
from unmask.training.run import Inputs, train_and_save


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
    inputs = Inputs(
        halves,
        rows_of(split, TRAIN_SPLIT, keep),
        rows_of(split, VALIDATION_SPLIT, keep),
    )
    module = load("training.objectives", entry.objective.name)
    params = check(module.Params, entry.objective.settings, f"{key}.objective")

    def build(machine: Compute) -> Objective:
        model = build_reconstructor(name, entry)
        objective: Objective = module.build(model, params, settings, machine)
        return objective

    train_and_save(
        f"reconstructors/{name}",
        build,
        inputs,
        settings,
        train,
        identity=entry.model_dump(),
        facts={},
        pictures=lambda folder: Pictures(folder, *halves, inputs.validation),
    )

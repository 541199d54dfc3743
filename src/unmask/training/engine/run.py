"""One training run from start to artefacts; what classifiers and reconstructors have in common."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from unmask.core.compute.batches import Batches
from unmask.core.compute.device import Compute, compute
from unmask.core.compute.environment import environment
from unmask.core.compute.team import assemble
from unmask.core.compute.weights import save_weights
from unmask.core.files import whole_folder, write_json
from unmask.core.params.training import Train, Training
from unmask.core.randomness import seed_for
from unmask.training.engine.fingerprint import fingerprint
from unmask.training.engine.loop import fit
from unmask.training.engine.objective import Objective
from unmask.training.engine.record import Record, State

EachEpoch = Callable[[int], None]


@dataclass(frozen=True)
class Inputs:
    """What a run learns from: arrays that run in parallel, and the rows of either split."""

    arrays: Sequence[NDArray[Any]]
    train: NDArray[np.int64]
    validation: NDArray[np.int64]


def prepare(train: Train) -> Compute:
    """Return where and with whom the run computes, and seed what initial weights are drawn from."""
    machine = compute(train.precision)
    team, device = assemble(train.devices, train.nodes, machine.device)
    machine = replace(machine, team=team, device=device)
    torch.manual_seed(seed_for(train.seed))
    return machine


def train_and_save(
    name: str,
    model: nn.Module,
    objective: Objective,
    inputs: Inputs,
    settings: Training,
    train: Train,
    machine: Compute,
    identity: object,
    facts: Mapping[str, Any],
    pictures: Callable[[Path], EachEpoch] | None = None,
) -> None:
    """Train by `objective` and write `models/<name>/` and `data/training/<name>/` whole.

    The first holds `weights.safetensors` of `model` (at the epoch best on validation) and
    `training.json` (`facts`, and how training went, epoch by epoch); the second what people look
    at: what DVC plots, a `.tsv` for each figure, and, where `pictures` is given, `pictures/`.
    `objective.model` is `model` or the part of it that learns. `identity` is what of the parameters
    determines the model; with `facts`, it keeps a checkpoint of another model from being resumed.
    """
    record = Record(
        name,
        fingerprint(
            [*inputs.arrays, inputs.train, inputs.validation],
            [identity, facts],
            settings,
            train.seed,
            machine.device.type,
            machine.precision,
            str(machine.team),
        ),
        machine.team,
    )
    try:
        state = fit(
            objective,
            Batches(inputs.arrays, inputs.train, settings.batch_size),
            Batches(inputs.arrays, inputs.validation, settings.batch_size),
            settings,
            train.seed,
            machine,
            record,
            pictures(record.pictures) if pictures and not machine.team.rank else None,
        )
    finally:
        record.close()
    if machine.team.rank:
        return
    with whole_folder(Path("models") / name) as folder:
        save_weights(model, folder / "weights.safetensors")
        write_json(
            folder / "training.json",
            {
                **facts,
                "parameters": sum(p.numel() for p in model.parameters()),
                "trained_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
                "epochs": len(state.history),
                "best_epoch": state.best_epoch + 1,
                "best": state.history[state.best_epoch],
                "history": state.history,
                "faults": _faults(objective, state),
                "device": machine.device.type,
                "environment": environment(machine.device),
                "processes": machine.team.size,
                "precision": machine.precision,
            },
        )
    with whole_folder(Path("data/training") / name) as folder:
        record.copy_to(folder)
    record.end(state)


def _faults(objective: Objective, state: State) -> dict[str, list[str]]:
    """Return what was wrong, by epoch, counted from 1."""
    by_epoch = enumerate(map(objective.faults, state.history), 1)
    return {str(epoch): faults for epoch, faults in by_epoch if faults}

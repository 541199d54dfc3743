"""One training run from start to artefacts; what classifiers and reconstructors have in common."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from unmask.core.files import atomic_folder, write_json
from unmask.core.provenance import environment
from unmask.core.randomness import seed_for
from unmask.models.batches import Batches
from unmask.models.device import make_deterministic
from unmask.models.folder import ModelConfig, save_model
from unmask.params.models import Train, Training
from unmask.training.checkpoint import fingerprint
from unmask.training.finished import Finished
from unmask.training.loop import fit
from unmask.training.objective import Objective
from unmask.training.process_group import Compute, start
from unmask.training.record import Record, State

EachEpoch = Callable[[int], None]


@dataclass(frozen=True)
class Inputs:
    """What a run learns from: arrays by their name in a batch, and the rows of either split."""

    arrays: Mapping[str, NDArray[Any]]
    train: NDArray[np.int64]
    validation: NDArray[np.int64]


@runtime_checkable
class Pretrainable(Protocol):
    """A model that can start from weights from elsewhere."""

    def load_pretrained(self) -> dict[str, Any]:
        """Load them; return what says which they are."""


def begin(train: Train) -> Compute:
    """Start the processes of a run, and seed PyTorch for the initial weights."""
    make_deterministic()
    compute = start(train)
    torch.manual_seed(seed_for(train.seed))
    return compute


def load_pretrained(model: nn.Module) -> dict[str, Any]:
    """Load the weights that a model starts from; return what says which, or nothing."""
    return model.load_pretrained() if isinstance(model, Pretrainable) else {}


def train_and_save(
    name: str,
    model: nn.Module,
    config: ModelConfig,
    objective: Objective,
    inputs: Inputs,
    settings: Training,
    train: Train,
    compute: Compute,
    facts: Mapping[str, Any],
    pictures: Callable[[Path], EachEpoch] | None = None,
    *,
    one_of_several: bool = False,
) -> None:
    """Train by `objective`, and write `models/<name>/` and `data/training/<name>/` atomically.

    The first holds `config.json` and `weights.safetensors` of `model` (at the epoch best on
    validation) and `training.json` (`facts`, and how training went, epoch by epoch); the second
    what people look at: a `.tsv` for each figure, which DVC plots, and `pictures/`, if given.
    `objective.model` is `model` or the part of it that learns. `config`, whose `trained` says what
    the model learns from, `facts` and the weights that `model` starts from are part of the run's
    identity: no checkpoint of another model is resumed.

    `one_of_several`: the stage trains others as well, and ends with `Finished.forget`. If this one
    was finished before the stage was interrupted, it is put back instead of trained.
    """
    trained = {
        **config.trained, "seed": train.seed, "precision": compute.precision,
        "settings": settings.model_dump(),
    }  # fmt: skip
    config = config.model_copy(update={"trained": trained})
    rows = {"train rows": inputs.train, "validation rows": inputs.validation}
    identity = fingerprint(
        {**inputs.arrays, **rows}, [model, *objective.frozen.values()], config, facts,
        compute.device.type, str(compute.group.size),
    )  # fmt: skip
    finished = Finished(name, identity)
    if one_of_several and finished.is_there():
        finished.put_back(compute.group)
        if not compute.group.rank:  # features that were kept again, for nothing
            shutil.rmtree(Path(".checkpoints") / name, ignore_errors=True)
        return
    record = Record(name, identity, compute.group)
    try:
        state = fit(
            objective,
            Batches(inputs.arrays, inputs.train, settings.batch_size),
            Batches(inputs.arrays, inputs.validation, settings.batch_size),
            settings,
            train.seed,
            compute,
            record,
            pictures(record.pictures) if pictures and not compute.group.rank else None,
        )
    finally:
        record.close()
    if compute.group.rank:
        return
    with atomic_folder(Path("models") / name) as folder:
        save_model(model, config, folder)
        write_json(
            folder / "training.json", {**facts, **_history(objective, model, state, compute)}
        )
    with atomic_folder(Path("data/training") / name) as folder:
        record.copy_to(folder, state)
    record.end(state)
    if one_of_several:
        finished.keep()


def _history(
    objective: Objective, model: nn.Module, state: State, compute: Compute
) -> dict[str, Any]:
    """Return how training went."""
    by_epoch = enumerate(map(objective.faults, state.history), 1)
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "trained_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "epochs": len(state.history),
        "best_epoch": state.best_epoch + 1,
        "best": state.history[state.best_epoch],
        "history": state.history,
        "faults": {str(epoch): faults for epoch, faults in by_epoch if faults},
        "device": compute.device.type,
        "environment": environment(compute.device),
        "processes": compute.group.size,
        "precision": compute.precision,
    }

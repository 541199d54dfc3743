"""Checkpoints: weights and optimisers' states as safetensors, the rest as JSON in the header."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from unmask.core.compute.tensors import load_tensors, save_tensors
from unmask.core.errors import UserError
from unmask.training.engine.objective import Objective


@dataclass(frozen=True)
class Saved:
    """What `load` does not put into the objective: the best weights, and the notes of `save`."""

    best: dict[str, Tensor]
    notes: dict[str, Any]


def save(
    path: Path,
    fingerprint: str,
    objective: Objective,
    best: Mapping[str, Tensor],
    notes: Mapping[str, Any],
) -> None:
    """Write model, helpers, optimisers, the best weights so far and `notes` (plain JSON values).

    The checkpoint that stood at `path` is kept beside it, until the next one.
    """
    tensors = {f"best.{k}": v for k, v in best.items()}
    for name, module in {"model": objective.model, **objective.helpers}.items():
        tensors |= {f"{name}.{k}": v for k, v in module.state_dict().items()}
    for number, optimiser in enumerate(objective.optimisers):
        for parameter, values in optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{number}.{parameter}.{k}": v for k, v in values.items()}
    if path.exists():
        path.replace(_before(path))
    save_tensors(path, tensors, {"fingerprint": fingerprint, "notes": json.dumps(notes)})


def load(
    path: Path, fingerprint: str, objective: Objective, say: Callable[[str], None]
) -> Saved | None:
    """Put the last good checkpoint's model, helpers and optimisers into `objective`.

    Returns the rest of it. Returns None, and leaves the objective alone, where there is no
    checkpoint of this run: no file, or one with another fingerprint. A damaged one is named by
    `say`, and the one before it is taken.
    """
    for file in (path, _before(path)):
        try:
            tensors, header = load_tensors(file)
        except FileNotFoundError:
            continue
        except UserError:
            say(f"warning: {file}: damaged, and passed over")
            continue
        if header["fingerprint"] == fingerprint:
            return _restore(tensors, header, objective)
        return None
    return None


def _restore(
    tensors: Mapping[str, Tensor], header: Mapping[str, str], objective: Objective
) -> Saved:
    for name, module in {"model": objective.model, **objective.helpers}.items():
        module.load_state_dict(_under(name, tensors))
    for number, optimiser in enumerate(objective.optimisers):
        state = _optimiser_state(_under(f"optimiser.{number}", tensors))
        groups = optimiser.state_dict()["param_groups"]
        optimiser.load_state_dict({"state": state, "param_groups": groups})
        _lay_out(optimiser)
    return Saved(_under("best", tensors), json.loads(header["notes"]))


def _before(path: Path) -> Path:
    return path.with_name(f"before_{path.name}")


def _lay_out(optimiser: Optimizer) -> None:
    """Give moments the memory layout of their parameters: a fused step pairs them by address."""
    for parameter, state in optimiser.state.items():
        for name, value in state.items():
            if value.shape == parameter.shape:
                state[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    start = f"{prefix}."
    return {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}


def _optimiser_state(tensors: Mapping[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        parameter, name = key.split(".", 1)
        state.setdefault(int(parameter), {})[name] = tensor
    return state

"""Checkpoints: weights and optimisers' states as safetensors, the rest as JSON in the header."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.optim import Optimizer

from unmask.core.files import whole_file
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
    """Write model, helpers, optimisers, the best weights so far and `notes` (plain JSON values)."""
    tensors = {f"best.{k}": v for k, v in best.items()}
    for name, module in {"model": objective.model, **objective.helpers}.items():
        tensors |= {f"{name}.{k}": v for k, v in module.state_dict().items()}
    for number, optimiser in enumerate(objective.optimisers):
        for parameter, values in optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{number}.{parameter}.{k}": v for k, v in values.items()}
    header = {"fingerprint": fingerprint, "notes": json.dumps(notes)}
    with whole_file(path) as temporary:
        save_file({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, temporary, header)


def load(path: Path, fingerprint: str, objective: Objective) -> Saved | None:
    """Put the checkpoint's model, helpers and optimisers into `objective` and return the rest.

    Returns None, and leaves the objective alone, where there is no checkpoint of this run: no
    file, one that cannot be read, or one with another fingerprint.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            if header.get("fingerprint") != fingerprint:
                return None
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (FileNotFoundError, SafetensorError):
        return None
    for name, module in {"model": objective.model, **objective.helpers}.items():
        module.load_state_dict(_under(name, tensors))
    for number, optimiser in enumerate(objective.optimisers):
        state = _optimiser_state(_under(f"optimiser.{number}", tensors))
        groups = optimiser.state_dict()["param_groups"]
        optimiser.load_state_dict({"state": state, "param_groups": groups})
        _lay_out(optimiser)
    return Saved(_under("best", tensors), json.loads(header["notes"]))


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

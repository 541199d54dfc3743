"""Checkpoints: weights and optimisers' states as safetensors, the rest as JSON in the header.

A checkpoint carries the fingerprint of its run, so that no other run resumes from it.
"""

import ast
import hashlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from unmask.core.errors import UserError
from unmask.models.folder import load_tensors, save_tensors
from unmask.training.objective import Objective

_CHUNK = 1 << 12


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

    The previous checkpoint is kept beside `path`, until the next one.
    """
    tensors = {f"best.{k}": v for k, v in best.items()}
    for name, module in _modules(objective).items():
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

    Returns the rest of it. Returns None, and leaves the objective alone, if there is no checkpoint
    of this run: no file, or one with another fingerprint. `say` reports a damaged one, and the one
    before it is used.
    """
    for file in (path, _before(path)):
        try:
            tensors, header = load_tensors(file)
        except FileNotFoundError:
            continue
        except UserError:
            say(f"warning: {file}: checksum mismatch; skipped")
            file.unlink(missing_ok=True)  # or the next one would take the place of the good one
            continue
        if header["fingerprint"] == fingerprint:
            return _restore(tensors, header, objective)
        return None
    return None


def _restore(
    tensors: Mapping[str, Tensor], header: Mapping[str, str], objective: Objective
) -> Saved:
    for name, module in _modules(objective).items():
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


def fingerprint(
    arrays: Mapping[str, NDArray[Any]], modules: Sequence[nn.Module], *settings: object
) -> str:
    """Return a SHA-256 over everything that determines a run.

    arrays: what it learns from, by name; modules: the model as it starts, and those that it uses
    and does not train; settings: JSON or pydantic. The code counts as well: the syntax of every
    file of this package that has been imported so far, without its comments and docstrings.
    """
    digest = hashlib.sha256(json.dumps(settings, default=lambda value: value.model_dump()).encode())
    weights = [
        tensor.cpu().numpy() for module in modules for tensor in module.state_dict().values()
    ]
    for name, array in [*arrays.items(), *(("", np.atleast_1d(tensor)) for tensor in weights)]:
        digest.update(f"{name}{array.shape}{array.dtype}".encode())
        for start in range(0, len(array), _CHUNK):
            digest.update(np.ascontiguousarray(array[start : start + _CHUNK]).data)
    for file in sorted(_imported_files()):
        digest.update(_syntax(file.read_text(encoding="utf-8")).encode())
    return digest.hexdigest()


@cache  # `teach` trains several models in one process
def _syntax(source: str) -> str:
    """Return a Python file without what does not run: comments, layout and docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            node.body = [part for part in node.body if not _is_string(part)]
    return ast.dump(tree)


def _is_string(node: ast.stmt) -> bool:
    value = node.value if isinstance(node, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _imported_files() -> set[Path]:
    return {
        Path(module.__file__)
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] == "unmask" and module.__file__
    }


def _modules(objective: Objective) -> dict[str, nn.Module]:
    return {"model": objective.model, **objective.helpers}

"""The optimisers: those of PyTorch, without the compiler that they would load."""

import inspect
from collections.abc import Iterable
from typing import Any, TypeVar, cast

import torch
from torch import nn
from torch.optim import Optimizer

from unmask.params.models import Training

Kind = TypeVar("Kind", bound=Optimizer)

_GUARDED = ("add_param_group", "load_state_dict", "state_dict", "zero_grad")
_MOMENTUM = 0.9


def optimiser_of(
    parameters: Iterable[nn.Parameter],
    settings: Training,
    rate: float | None = None,
    betas: tuple[float, float] = (0.9, 0.999),
) -> Optimizer:
    """Return the optimiser that `settings` name.

    rate: learning rate, if it is not that of `settings`; betas: of Adam and AdamW.
    Weights decay; biases and what norms learn, which have one dimension, do not.
    """
    rate = settings.learning_rate if rate is None else rate
    groups: list[dict[str, Any]] = [{"params": list(parameters)}]
    if settings.weight_decay:
        weights = [p for p in groups[0]["params"] if p.ndim > 1]
        others = [p for p in groups[0]["params"] if p.ndim <= 1]
        groups = [{"params": weights, "weight_decay": settings.weight_decay}, {"params": others}]
        groups = [group for group in groups if group["params"]]
    if settings.optimiser == "sgd":
        return _SGD(groups, lr=rate, momentum=_MOMENTUM, nesterov=True, fused=True)
    if settings.optimiser == "adamw":
        return _AdamW(groups, lr=rate, betas=betas, weight_decay=0.0, fused=True)
    return _Adam(groups, lr=rate, betas=betas, fused=True)


def _uncompiled(kind: type[Kind]) -> type[Kind]:
    """Return the same optimiser, by the methods that PyTorch wraps for `torch.compile`.

    The wrappers import the compiler, which takes two seconds and is not used here.
    """
    methods = {name: inspect.unwrap(getattr(kind, name)) for name in _GUARDED}
    step = torch.no_grad()(inspect.unwrap(kind.step))
    return cast(type[Kind], type(kind.__name__, (kind,), {**methods, "step": step}))


_Adam = _uncompiled(torch.optim.Adam)
_AdamW = _uncompiled(torch.optim.AdamW)
_SGD = _uncompiled(torch.optim.SGD)

"""The features of a face: what the last linear layer of a classifier reads."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from unmask.core.errors import UserError


def last_layer(model: nn.Module) -> nn.Linear:
    """Return the last linear layer of `model`; raises UserError if it has none."""
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    if not layers:
        raise UserError(
            f"{type(model).__name__} has no linear layer whose input could be its features; "
            "take another classifier"
        )
    return layers[-1]


@contextmanager
def features_of(model: nn.Module, wanted: bool = True) -> Iterator[list[Tensor]]:
    """Yield a list that gets what the last layer of `model` reads, float [B,D], if it is wanted."""
    read: list[Tensor] = []
    if not wanted:
        yield read
        return

    def note(_: nn.Module, inputs: tuple[Tensor]) -> None:
        read.append(inputs[0].float())

    hook = last_layer(model).register_forward_pre_hook(note)
    try:
        yield read
    finally:
        hook.remove()

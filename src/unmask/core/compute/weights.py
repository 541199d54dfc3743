"""Weights of trained models, as safetensors."""

from pathlib import Path

from torch import nn

from unmask.core.compute.tensors import load_tensors, save_tensors
from unmask.core.errors import UserError


def save_weights(model: nn.Module, path: Path) -> None:
    """Write the model's parameters and buffers."""
    save_tensors(path, model.state_dict(), {})


def load_weights(model: nn.Module, path: str | Path) -> nn.Module:
    """Load what `save_weights` wrote into a model of the same kind; return it in evaluation mode.

    Raises UserError where the file is missing, damaged or another model's.
    """
    try:
        tensors, _ = load_tensors(Path(path))
        model.load_state_dict(tensors)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run `dvc repro`") from None
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: not this model's weights ({reason}); run `dvc repro`") from None
    return model.eval()

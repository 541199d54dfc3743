"""Weights of trained models, as safetensors."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from unmask.core.errors import UserError


def save_weights(model: nn.Module, path: Path) -> None:
    """Write the model's parameters and buffers."""
    save_file({k: v.detach().cpu().contiguous() for k, v in model.state_dict().items()}, path)


def load_weights(model: nn.Module, path: str | Path) -> nn.Module:
    """Load what `save_weights` wrote into a model of the same kind; return it in evaluation mode.

    Raises UserError where the file is missing, damaged or another model's.
    """
    try:
        model.load_state_dict(load_file(path))
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: not this model's weights ({reason}); run `dvc repro`") from None
    return model.eval()

"""Pretrained weights: published by torchvision, or from a local checkpoint, checked."""

import hashlib
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models import WeightsEnum

from unmask.core.errors import UserError

_FLOATS = {torch.float16, torch.bfloat16, torch.float32, torch.float64}
_INTEGERS = {torch.int32, torch.int64}


def load_pretrained(module: nn.Module, choice: str, published: WeightsEnum) -> dict[str, str]:
    """Load weights into `module`, whose names are torchvision's; return what identifies them.

    choice: `none` leaves the module as it is, `imagenet` loads the published weights, anything else
        is the path of a checkpoint: `.safetensors`, or a state dict written by `torch.save`. It may
        hold other layers as well.

    Raises UserError if the weights are not available, or do not match this module's names and
    shapes.
    """
    if choice == "none":
        return {"pretrained": "none"}
    if choice == "imagenet":
        _copy(_download(published), module, str(published))
        return {"pretrained": str(published)}
    _copy(_read(Path(choice)), module, choice)
    return {"pretrained": choice, "sha256": _checksum(Path(choice))}


def _copy(checkpoint: Mapping[str, Tensor], module: nn.Module, source: str) -> None:
    state = module.state_dict()
    for name, tensor in state.items():
        if name not in checkpoint:
            if name.endswith("num_batches_tracked"):  # older checkpoints have none
                continue
            raise UserError(f"{source}: no weights {name}; take a checkpoint of this network")
        fault = _fault(checkpoint[name], tensor)
        if fault:
            raise UserError(f"{source}: {name} holds {fault}; take a checkpoint of plain numbers")
        if checkpoint[name].shape != tensor.shape:
            shapes = f"{list(checkpoint[name].shape)}, not {list(tensor.shape)}"
            raise UserError(
                f"{source}: {name} has the shape {shapes}; take a checkpoint of this network"
            )
        state[name] = checkpoint[name]
    module.load_state_dict(state)


def _fault(tensor: Tensor, expected: Tensor) -> str | None:
    """Return what is wrong with the values of a tensor, or None if nothing is."""
    if tensor.layout != torch.strided or tensor.is_nested or tensor.is_quantized or tensor.is_meta:
        return "something other than a plain tensor"
    if tensor.dtype not in (_FLOATS if expected.is_floating_point() else _INTEGERS):
        return f"{tensor.dtype} instead of {expected.dtype}"
    return None if torch.isfinite(tensor.to(expected.dtype)).all() else "nan or infinity"


def _download(weights: WeightsEnum) -> Mapping[str, Tensor]:
    try:
        state: Mapping[str, Tensor] = weights.get_state_dict(check_hash=True, weights_only=True)
        return state
    except (OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"{weights}: cannot be downloaded ({reason}); download {weights.url} elsewhere and set "
            "`pretrained` to its path, or do without: `pretrained: none`"
        ) from None


def _read(path: Path) -> Mapping[str, Tensor]:
    """Read a checkpoint: tensors by name, and nothing that could run."""
    if not path.is_file():
        what = "not a file" if path.exists() else "no such file"
        raise UserError(f"{path}: {what}; fix `pretrained`")
    try:
        _refuse_packed(path)
        with warnings.catch_warnings():
            # Warnings are about odd formats, which are refused below, or about PyTorch itself.
            warnings.simplefilter("ignore")
            if path.suffix == ".safetensors":
                return load_file(path)
            state = torch.load(path, map_location="cpu", weights_only=True)
    except UserError:
        raise
    except UnpicklingError:
        raise UserError(
            f"{path}: not a checkpoint of plain weights, and not read, as a pickle can run code; "
            "take one that `torch.load` reads with weights_only=True"
        ) from None
    except Exception as error:  # PyTorch's readers raise almost anything for a damaged file
        raise UserError(
            f"{path}: not a readable checkpoint ({type(error).__name__}); get it again"
        ) from None
    if not isinstance(state, Mapping) or not all(isinstance(t, Tensor) for t in state.values()):
        raise UserError(f"{path}: not a mapping of names to tensors; take a state dict")
    return state


def _refuse_packed(path: Path) -> None:
    """Raise UserError for a zip that unpacks to more than its size: PyTorch would read it all."""
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            return
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    is_packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
    if is_packed or sum(entry.file_size for entry in entries) > path.stat().st_size:
        raise UserError(
            f"{path}: compressed or with overlapping files, which torch.save never writes; "
            "get it again"
        )


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

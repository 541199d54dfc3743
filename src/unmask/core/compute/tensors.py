"""Files of named tensors: safetensors whose header holds the checksum of all that is in them."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from unmask.core.checksum import KEY, damaged
from unmask.core.files import whole_file


def save_tensors(path: Path, tensors: Mapping[str, Tensor], notes: Mapping[str, str]) -> None:
    """Write tensors by name, and `notes` into the header."""
    plain = {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}
    header = {**notes, KEY: _checksum(plain, notes)}
    with whole_file(path) as temporary:
        # Not by save_file, whose error is of its own kind where the disk is full.
        temporary.write_bytes(save(plain, header))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return what `save_tensors` wrote.

    Raises FileNotFoundError where there is no file, UserError where it is not as it was written.
    """
    try:
        with safe_open(path, framework="pt") as file:
            notes = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except SafetensorError:
        raise damaged(path) from None
    if notes.pop(KEY, None) != _checksum(tensors, notes):
        raise damaged(path)
    return tensors, notes


def _checksum(tensors: Mapping[str, Tensor], notes: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(notes, sort_keys=True).encode())
    for key, tensor in sorted(tensors.items()):
        digest.update(f"{key}{tensor.dtype}{list(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()

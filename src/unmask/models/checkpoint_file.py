"""Reading a checkpoint from anywhere: tensors and plain values, and nothing that could run."""

import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors.torch import load_file

from unmask.core.errors import UserError

_LONGEST_SHOWN = 60

_OTHERS = {
    b"version https://git-lfs": "a git-lfs pointer, not the weights; run `git lfs pull`",
    b"outs:": "a DVC pointer, not the weights; run `dvc pull`, and name the file itself",
    b"<": "a web page, perhaps a login page; get it again",
    b"\x89HDF": "an HDF5 file, as Keras writes it; take a checkpoint of PyTorch",
    b"\x1f\x8b": "packed with gzip; unpack it",
}
"""What is given instead of a checkpoint, by how it starts."""


def read_checkpoint(path: Path) -> Mapping[Any, Any]:
    """Return what safetensors or `torch.save` wrote, an empty mapping if that is no mapping.

    The first bytes of the file decide which of the two it is, not its name.
    """
    if not path.is_file():
        what = "not a file" if path.exists() else "no such file"
        raise UserError(f"{path}: {what}; fix `pretrained`")
    with path.open("rb") as file:
        start = file.read(64)
    for magic, other in _OTHERS.items():
        if start.startswith(magic):
            raise UserError(f"{path}: {other}")
    is_zip = start.startswith(b"PK\x03\x04")
    try:
        if is_zip:
            _refuse_packed(path)
        with warnings.catch_warnings():
            # Warnings are about odd formats, which are refused later, or about PyTorch itself.
            warnings.simplefilter("ignore")
            if not is_zip and (path.suffix == ".safetensors" or start[8:9] == b"{"):
                return load_file(path)
            with path.open("rb") as file:  # by its path, torch would go by its name
                state = torch.load(file, map_location="cpu", weights_only=True)
    except UserError:
        raise
    except UnpicklingError as error:
        name = re.search(r"GLOBAL (\S+)", str(error))
        holds = f" (it holds {shown(name[1])})" if name else ""
        raise UserError(
            f"{path}: not a checkpoint of plain weights{holds}, and not read, as a pickle can run "
            "code; take one that `torch.load` reads with weights_only=True"
        ) from None
    except Exception as error:  # PyTorch's readers raise almost anything for a damaged file
        raise UserError(
            f"{path}: not a readable checkpoint ({type(error).__name__}); get it again"
        ) from None
    return state if isinstance(state, dict) else {}


def shown(text: str) -> str:
    """Return text of a file cut short, with `?` for what is not part of a usual name."""
    cut = re.sub(r"[^\w.:/ -]", "?", text[:_LONGEST_SHOWN])
    return cut if len(text) <= _LONGEST_SHOWN else f"{cut}..."


def _refuse_packed(path: Path) -> None:
    """Raise UserError for a zip that torch.save did not write.

    One that unpacks to more than its size would be read all the same.
    """
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    if any(entry.filename.endswith("/constants.pkl") for entry in entries):
        raise UserError(
            f"{path}: a TorchScript program; save the state_dict() of what `torch.jit.load` returns"
        )
    is_packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
    if is_packed or sum(entry.file_size for entry in entries) > path.stat().st_size:
        raise UserError(
            f"{path}: compressed or with overlapping files, which torch.save never writes; "
            "get it again"
        )

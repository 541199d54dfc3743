"""How to make a checkpoint, good or not, and the lines that refuse it."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import torch
from cases import Case, put

CANARY = "canary"
"""A folder that code in a checkpoint would make if it ran."""

AGAIN = "not a readable checkpoint (...); get it again"
CODE = (
    "not a checkpoint of plain weights..., and not read, as a pickle can run code; "
    "take one that `torch.load` reads with weights_only=True"
)
NO_DICT = "not a mapping of names to tensors; take a state dict"
NETWORK = "take a checkpoint of this network"

GOOD = {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}


def only(keys: str) -> str:
    return f"not a mapping of names to tensors, only {keys}; take a state dict"


class Runs:
    """Pickles to a call of `function`."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def saved(value: object, **details: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer, **details)
    return buffer.getvalue()


def rezipped(content: bytes, compression: int = zipfile.ZIP_STORED, **files: bytes) -> bytes:
    """A checkpoint from torch.save with some of its files replaced (`data_pkl` is data.pkl)."""
    buffer = io.BytesIO()
    changed = {name.replace("_", "."): value for name, value in files.items()}
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(buffer, "w", compression) as new,
    ):
        for entry in old.namelist():
            name = Path(entry).name
            new.writestr(entry, changed.get(name, old.read(entry)))
    return buffer.getvalue()


def pth(name: str, content, what: str) -> Case:
    return Case(f"weights: {name}", put(content, "w.pth"), f"w.pth: {what}", source="w.pth")


def safe(name: str, content, what: str = AGAIN) -> Case:
    file = "w.safetensors"
    return Case(f"weights: {name}", put(content, file), f"{file}: {what}", source=file)

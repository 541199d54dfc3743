"""The identity of a training run: a checkpoint of any other run must not be resumed."""

import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CHUNK = 1 << 12


def fingerprint(arrays: Sequence[NDArray[Any]], *settings: object) -> str:
    """Return a SHA-256 over the arrays, the settings (JSON or pydantic) and the code in memory.

    The code is every file of this package that has been imported so far.
    """
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.shape}{array.dtype}".encode())
        for start in range(0, len(array), _CHUNK):
            digest.update(np.ascontiguousarray(array[start : start + _CHUNK]).data)
    digest.update(json.dumps(settings, default=lambda value: value.model_dump()).encode())
    for file in sorted(_modules()):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _modules() -> set[Path]:
    return {
        Path(module.__file__)
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] == "unmask" and module.__file__
    }

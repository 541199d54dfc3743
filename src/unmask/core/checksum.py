"""SHA-256 of artefacts, kept where a reader finds it without depending on another file.

An array carries it after its data, where NumPy does not look; JSON as its last key; weights in
their header (`models/folder.py`); a table, which other programs read, in a file beside it, in the
format of `sha256sum`. DVC has checksums too, but looks at a file only if its time has changed.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from unmask.core.errors import UserError

KEY = "sha256"
"""The key that holds the checksum in JSON and in the header of weights."""

_MARK = b"sha-256:"
_TRAILER = len(_MARK) + hashlib.sha256().digest_size
_CHUNK = 1 << 20


def mismatch(path: str | Path) -> UserError:
    """Return the error that says that the content of a file is not what was written."""
    return UserError(f"{path}: checksum mismatch; delete it and run `dvc repro`")


def append_checksum(path: Path) -> None:
    """Append the checksum of a file to it."""
    with path.open("r+b") as file:
        digest = _digest(file, path.stat().st_size)
        file.write(_MARK + digest)


def check_appended(path: Path) -> None:
    """Raise UserError unless a file ends with the checksum of everything before it."""
    with path.open("rb") as file:
        end = os.fstat(file.fileno()).st_size - _TRAILER
        digest = _digest(file, max(end, 0))
        if end < 0 or file.read() != _MARK + digest:
            raise mismatch(path)


def of_json(value: Mapping[str, Any]) -> str:
    """Return the checksum of a JSON object, whatever its layout, without its own checksum."""
    bare = {key: part for key, part in value.items() if key != KEY}
    return hashlib.sha256(json.dumps(bare, allow_nan=False).encode()).hexdigest()


def of_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_beside(path: Path) -> None:
    """Write the checksum of `path` into a file beside it, as `sha256sum` does."""
    _beside(path).write_bytes(_line(path))


def check_beside(path: Path) -> None:
    """Raise UserError unless the file beside `path` holds its checksum."""
    if _beside(path).read_bytes() != _line(path):  # damaged, it need not be text
        raise mismatch(path)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _line(path: Path) -> bytes:
    return f"{of_file(path)}  {path.name}\n".encode()


def _digest(file: BinaryIO, size: int) -> bytes:
    """Return the SHA-256 of the next `size` bytes."""
    digest = hashlib.sha256()
    while size and (chunk := file.read(min(size, _CHUNK))):
        digest.update(chunk)
        size -= len(chunk)
    return digest.digest()

"""Files and folders that are written atomically: completely or not at all."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from unmask.core import checksum
from unmask.core.errors import UserError

_ROWS = 1 << 12


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and rename it to `path` when the block succeeds.

    If the block raises, nothing is left behind and an older `path` stays as it was; an OSError that
    names no file, such as that of a full disk, then names `path`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(path)
    except OSError as error:
        error.filename = error.filename or str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield a temporary folder, which replaces `path` when the block succeeds.

    If the block raises, the same holds as for `atomic_write`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        for file in sorted(temporary.rglob("*")):
            if file.is_file():
                _flush(file)
        shutil.rmtree(path, ignore_errors=True)
        temporary.replace(path)
    except OSError as error:
        error.filename = error.filename or str(path)
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _flush(path: Path) -> None:
    """Force `path` to disk: a rename must not survive a crash that the content does not."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def write_json(path: str | Path, value: Mapping[str, Any], *, bare: bool = False) -> None:
    """Write `value` as indented JSON, with its checksum unless it is `bare`.

    Bare is for files that other programs show. `nan` and infinity are refused: JSON has neither.
    """
    if not bare:
        value = {**value, checksum.KEY: checksum.of_json(value)}
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def read_json(path: str | Path) -> Any:
    """Read a JSON artefact of an earlier stage, without its checksum."""
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(value, dict) or value.pop(checksum.KEY, "") != checksum.of_json(value):
            raise checksum.mismatch(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run `dvc repro`") from None
    except (ValueError, RecursionError):  # such as for NaN, and for brackets without end
        raise checksum.mismatch(path) from None
    return value


def save_array(path: str | Path, array: NDArray[Any]) -> None:
    """Write one array, of one axis or more, as `.npy`."""
    # Not by np.save, which says of a full disk only how many items it wrote.
    with (
        atomic_write(path) as temporary,
        ArrayWriter(temporary, array.shape[1:], array.dtype) as writer,
    ):
        for start in range(0, len(array), _ROWS):  # a view of another array is copied in parts
            writer.append(array[start : start + _ROWS])


def open_array(path: str | Path) -> NDArray[Any]:
    """Open an array of an earlier stage, memory-mapped and read-only."""
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        if not isinstance(array, np.memmap):
            raise ValueError("an archive of arrays")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run `dvc repro`") from None
    except (OSError, UserError):  # the latter if the file is sealed
        raise
    except Exception as error:  # NumPy parses headers as Python and raises what its parser does
        what = str(error).partition("\n")[0][:99] or type(error).__name__
        raise UserError(f"{path}: not a readable array ({what}); run `dvc repro`") from None
    checksum.check_appended(Path(path))
    return array


class ArrayWriter:
    """An `.npy` file that grows by blocks, for arrays that need not fit in memory.

    The header is written for zero rows first, and again for the true number at the end: NumPy pads
    headers so that the first axis can grow in place.
    """

    def __init__(self, path: Path, row_shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self._path, self._row_shape = path, row_shape
        self._dtype, self._rows = np.dtype(dtype), 0
        self._file = path.open("wb")
        self._header()

    def append(self, block: NDArray[Any]) -> None:
        """Add rows: an array [B, *row_shape]."""
        if block.shape[1:] != self._row_shape:
            raise ValueError(f"rows of shape {block.shape[1:]} in an array of {self._row_shape}")
        self._file.write(np.ascontiguousarray(block, dtype=self._dtype).data)
        self._rows += len(block)

    def close(self) -> None:
        """Write the true number of rows into the header, and the checksum; close the file."""
        with self._file:
            self._file.seek(0)
            self._header()
        checksum.append_checksum(self._path)

    def __enter__(self) -> "ArrayWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _header(self) -> None:
        description = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (self._rows, *self._row_shape),
        }
        np.lib.format.write_array_header_1_0(self._file, description)

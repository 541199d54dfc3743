"""Arrays of earlier stages that are damaged, swapped, or made to run code or fill memory."""

import io
import os
import pickle
import struct

import numpy as np
from bad_weights import CANARY, Runs
from cases import Case, put

from faces_csv import image

_NAME = "data/faces/images.npy"
_NOT = "not a readable array (...); run `dvc repro`"


def saved(array: np.ndarray, **details: object) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **details)
    return buffer.getvalue()


def headed(header: str | bytes, data: bytes = bytes(2304), version: bytes = b"\1\0") -> bytes:
    """An array file with this header, whatever it says."""
    text = header.encode() if isinstance(header, str) else header
    length = struct.pack("<H" if version == b"\1\0" else "<I", len(text))
    return b"\x93NUMPY" + version + length + text + data


def _header(shape: str = "(1, 48, 48)", kind: str = "'|u1'") -> str:
    return f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}}}\n"


def _zip_of_arrays() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, image(0))
    return buffer.getvalue()


def _case(name: str, content, what: str = _NOT) -> Case:
    return Case(f"array: {name}", put(content, _NAME), f"{_NAME}: {what}")


_RIGHT = saved(image(0)[None])

CASES = [
    Case("array: a missing file", lambda folder: None, f"{_NAME}: no such file; run `dvc repro`"),
    _case("an empty file", b""),
    _case("text", b"notes"),
    _case("a file cut short", _RIGHT[:-1]),
    _case("a header cut short", _RIGHT[:40]),
    _case("a pickled object", lambda: saved(np.array([{}], dtype=object), allow_pickle=True)),
    _case("a pickled object that runs code", lambda: headed(_header("(1,)", "'|O'"), pickle.dumps([Runs(os.mkdir, CANARY)]))),
    _case("a bare pickle that runs code", pickle.dumps(Runs(os.mkdir, CANARY))),
    _case("a header that runs code", headed(f"{{'descr': '|u1', 'fortran_order': False, 'shape': __import__('os').mkdir('{CANARY}')}}\n")),
    _case("a zip of arrays", _zip_of_arrays),
    _case("a shape larger than the file", headed(_header("(1000000000000, 48, 48)"))),
    _case("a shape that overflows", headed(_header(f"({1 << 70}, 48, 48)"))),
    _case("a negative shape", headed(_header("(-1, 48, 48)"))),
    _case("a fractional shape", headed(_header("(1.5, 48, 48)"))),
    _case("a shape that is not a tuple", headed(_header("2304"))),
    _case("an unknown data type", headed(_header(kind="'|x9'"))),
    _case("a data type that is not text", headed(_header(kind="[1, 2]"))),
    _case("a header of brackets", headed("(" * 9000)),
    _case("a header that does not close", headed("{'descr': '''|u1\n")),
    _case("a header that is not indented", headed("{}\n  1\n 2\n")),
    _case("a header longer than the file", headed(b"x" * 9, version=b"\2\0").replace(struct.pack("<I", 9), struct.pack("<I", 0xFFFFFFFF))),
    _case("a header of a hundred kilobytes", headed(_header() + " " * 100_000, version=b"\2\0")),
    _case("a version from the future", headed(_header(), version=b"\x63\0")),
]  # fmt: skip

"""Odd files that are accepted: each holds the 21 faces of `table()`."""

import bz2
import gzip
import lzma
import re

from packing import tarred, zipped

from faces_csv import HEADER, rows, table

_TABLE = table()
_COMPETITION = ("train.csv", "test.csv", "example_submission.csv", "fer2013.tar.gz")


def _reordered(header: str, order: list[int]) -> bytes:
    fields = [line.split(",") for line in rows()]
    return "\n".join([header, *(",".join(line[i] for i in order) for line in fields)]).encode()


def _splits(*names: str) -> list[tuple[str, bytes]]:
    """A file for each split."""
    lines = [line.rpartition(",")[0] for line in rows()]
    texts = ["\n".join(["emotion,pixels", *lines[start : start + 7]]) for start in (0, 7, 14)]
    return [(name, text.encode()) for name, text in zip(names, texts, strict=True)]


def _leftovers(name: str) -> list[tuple[str, bytes]]:
    beside = (f"{name}:Zone.Identifier", f"{name}~", "Icon\r", ".DS_Store")
    folders = ("__MACOSX", "@eaDir", "lost+found", ".ipynb_checkpoints", "$RECYCLE.BIN")
    return [(leftover, b"x") for leftover in (*beside, *(f"{folder}/1.csv" for folder in folders))]


def _beside(name: str, *others: str) -> list[tuple[str, bytes]]:
    return [(name, _TABLE), *((other, b"x") for other in others)]


CASES = {
    "a byte order mark": b"\xef\xbb\xbf" + _TABLE,
    "CRLF": _TABLE.replace(b"\n", b"\r\n"),
    "CR": _TABLE.replace(b"\n", b"\r"),
    "line endings of all systems": _TABLE.replace(b"\n", b"\r\n", 3).replace(b"Test\n", b"Test\r"),
    "spaces in column names": _reordered(" emotion, pixels , Usage", [0, 1, 2]),
    "column names in other case": _TABLE.replace(b"emotion,pixels", b"Emotion,PIXELS"),
    "the column order of icml_face_data.csv": _reordered("emotion, Usage, pixels", [0, 2, 1]),
    "pixels first": _reordered("pixels,Usage,emotion", [1, 2, 0]),
    "trailing blank lines": _TABLE + b"\n\r\n   \n\n",
    "blank lines between rows": _TABLE.replace(b"\n", b"\n\n"),
    "a leading blank line": b"\n" + _TABLE,
    "no line ending after the last line": _TABLE.rstrip(),
    "a column of names": "\n".join(
        [f"image,{HEADER}", *(f"{number}.png,{row}" for number, row in enumerate(rows()))]
    ).encode(),
    "spaces around fields": _TABLE.replace(b",", b" , "),
    "quoted fields": re.sub(rb"[^,\n]+", rb'"\g<0>"', _TABLE),
    "leading zeros in pixels": re.sub(rb"(?<=[ ,])(\d\d?)(?=[ ,])", rb"0\1", _TABLE),
    "a gzip named .csv": gzip.compress(_TABLE),
    "an xz file named .csv": lzma.compress(_TABLE, preset=0),
    "a bzip2 file named .csv": bz2.compress(_TABLE),
    "a zip named .csv": zipped([("README", b"x"), ("d/fer2013.csv", _TABLE)]),
    "a compressed tar named .csv": tarred([("README", b"x"), ("./d/fer2013.csv", _TABLE)], "w:gz"),
    "a zip of three splits": zipped(_splits("train.csv", "val.csv", "test.csv")),
    "a tar of FER2013's splits": tarred(_splits("training.csv", "publictest.csv", "Test.CSV")),
    "a zip full of leftovers": zipped([*_leftovers("fer2013.csv"), ("fer2013.csv", _TABLE)]),
    "a zip of Kaggle's competition": zipped(_beside("icml_face_data.csv", *_COMPETITION)),
    "a tar of Kaggle's fer2013": tarred(_beside("d/fer2013.csv", "d/README", "d/fer2013.bib")),
}  # fmt: skip

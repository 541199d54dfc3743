"""Odd files that are accepted: each holds the 21 faces of `table()`."""

import bz2
import gzip
import lzma
import re

from packing import tarred, zipped

from faces_csv import rows, table

_TABLE = table()


def _reordered(header: str, order: list[int]) -> bytes:
    fields = [line.split(",") for line in rows()]
    return "\n".join([header, *(",".join(line[i] for i in order) for line in fields)]).encode()


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
    "spaces around fields": _TABLE.replace(b",", b" , "),
    "quoted fields": re.sub(rb"[^,\n]+", rb'"\g<0>"', _TABLE),
    "leading zeros in pixels": re.sub(rb"(?<=[ ,])(\d\d?)(?=[ ,])", rb"0\1", _TABLE),
    "a gzip named .csv": gzip.compress(_TABLE),
    "an xz file named .csv": lzma.compress(_TABLE, preset=0),
    "a bzip2 file named .csv": bz2.compress(_TABLE),
    "a zip named .csv": zipped([("README", b"x"), ("d/fer2013.csv", _TABLE)]),
    "a compressed tar named .csv": tarred([("README", b"x"), ("./d/fer2013.csv", _TABLE)], "w:gz"),
}  # fmt: skip

"""A malformed input: how to make it, and the one line that a stage answers with."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from faces_csv import HEADER, rows


class Case(NamedTuple):
    """name: what is wrong, in words; make: writes it into a folder.

    message: the expected line; `...` in it stands for any words, mostly a library's.
    source, labels: values of `data.source` and `data.labels`.
    """

    name: str
    make: Callable[[Path], object]
    message: str
    source: str = "fer2013.csv"
    labels: str = "fer2013"

    def fits(self, line: str) -> bool:
        """Return whether `line` is the expected message."""
        pattern = ".*".join(re.escape(part) for part in self.message.split("..."))
        return re.fullmatch(pattern, line) is not None


Content = str | bytes | Callable[[], bytes]
"""Of a file; a function if it takes time to make."""


def put(content: Content, name: str = "fer2013.csv") -> Callable[[Path], None]:
    """Return a function that writes a file with this content."""

    def make(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        value = content() if callable(content) else content
        path.write_bytes(value.encode() if isinstance(value, str) else value)

    return make


def table_with(line: str | bytes) -> bytes:
    """A CSV file with `line` as line 5."""
    lines = [HEADER, *rows()]
    before, after = ("\n".join(part).encode() for part in (lines[:4], lines[4:]))
    return b"\n".join([before, line.encode() if isinstance(line, str) else line, after, b""])

"""Text from outside: CSV files as streams of lines, and how messages show names and values."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import NamedTuple

from unmask.core.errors import UserError

_BLOCK = 1 << 19
_MAX_LINE = 1 << 16
_MAX_QUOTE, _MAX_NAMES = 24, 6


class Table(NamedTuple):
    """One CSV file: plain, compressed or inside an archive.

    label: its name in messages; open: opens it for reading from the start, unpacked as it is read.
    """

    label: str
    open: Callable[[], AbstractContextManager[BufferedReader]]


def text_blocks(stream: BufferedReader, label: str) -> Iterator[tuple[int, bytes]]:
    r"""Yield the text in blocks of whole lines, each with the number of its first line (from 1).

    Lines end with "\n", "\r\n" or "\r", except perhaps the very last one. Memory use is bounded
    whatever the file holds. Raises UserError for a line of more than 64 KiB that does not end in
    its block.
    """
    number, rest = 1, b""
    while chunk := stream.read(_BLOCK):
        text = rest + chunk
        # A "\r" at the very end may be the first half of "\r\n".
        end = max(text.rfind(b"\n"), text.rfind(b"\r", 0, -1)) + 1
        whole, rest = text[:end], text[end:]
        if whole:
            yield number, whole
            number += _count_lines(whole)
        if len(rest) > _MAX_LINE:
            raise _too_long(label, number)
    if rest:
        yield number, rest


def line_blocks(stream: BufferedReader, label: str) -> Iterator[tuple[int, list[bytes]]]:
    """Yield all lines, without endings, some at a time, with the number of the first (from 1)."""
    for number, text in text_blocks(stream, label):
        yield from lines_of(text, number, label)


def lines_of(text: bytes, number: int, label: str) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the lines of a block whose first line has this number, as `line_blocks` does.

    Raises UserError for a line of more than 64 KiB, after yielding all lines before it.
    """
    lines = text.splitlines()
    if max(map(len, lines), default=0) <= _MAX_LINE:
        yield number, lines
        return
    good = next(index for index, line in enumerate(lines) if len(line) > _MAX_LINE)
    yield number, lines[:good]
    raise _too_long(label, number + good)


def _count_lines(whole: bytes) -> int:
    if b"\r" in whole:
        return len(whole.splitlines())
    return sum(1 for _ in BytesIO(whole))  # several times as fast as bytes.count


def _too_long(label: str, number: int) -> UserError:
    return UserError(
        f"{label}:{number}: a line of more than {_MAX_LINE >> 10} KiB; "
        "this is not a CSV file of 48x48 faces, get the file again"
    )


def shown(name: str | Path) -> str:
    """Return a file's name with unprintable characters (line feeds, escapes) as question marks."""
    return "".join(character if character.isprintable() else "?" for character in str(name))


def quoted(value: bytes) -> str:
    """Return a field of a file in quotes, shortened to a few characters."""
    text = value.decode("utf-8", "backslashreplace")
    cut = text if len(text) <= _MAX_QUOTE else f"{text[:_MAX_QUOTE]}..."
    return repr(cut).replace("\\\\", "\\")


def listed(names: Sequence[str | Path]) -> str:
    """Return the first few names, separated by commas."""
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return ", ".join(shown(name) for name in names[:_MAX_NAMES]) + more

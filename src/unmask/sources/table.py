"""A CSV file as a stream of lines, wherever it is kept."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from io import BufferedReader, BytesIO
from typing import NamedTuple

from unmask.core.errors import UserError

_BLOCK = 1 << 19
_LONGEST = 1 << 16


class Table(NamedTuple):
    """One CSV file: plain, compressed or inside an archive.

    label: its name for messages; open: opens it for reading from the start, unpacked as it is read.
    """

    label: str
    open: Callable[[], AbstractContextManager[BufferedReader]]


def text_blocks(stream: BufferedReader, label: str) -> Iterator[tuple[int, bytes]]:
    r"""Yield the text in blocks of whole lines, each with the number of its first line (from 1).

    Lines end with "\n", "\r\n" or "\r", but for the last one of all. Memory stays flat whatever the
    file holds. Raises UserError for a line of more than 64 KiB that does not end in its block.
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
        if len(rest) > _LONGEST:
            raise _too_long(label, number)
    if rest:
        yield number, rest


def line_blocks(stream: BufferedReader, label: str) -> Iterator[tuple[int, list[bytes]]]:
    """Yield all lines, some at a time, each time with the number of the first (from 1).

    The endings are not part of the lines.
    """
    for number, text in text_blocks(stream, label):
        yield from lines_of(text, number, label)


def lines_of(text: bytes, number: int, label: str) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the lines of a block whose first line has this number, like `line_blocks`.

    Raises UserError for a line of more than 64 KiB, after all lines before it.
    """
    lines = text.splitlines()
    if max(map(len, lines), default=0) <= _LONGEST:
        yield number, lines
        return
    good = next(index for index, line in enumerate(lines) if len(line) > _LONGEST)
    yield number, lines[:good]
    raise _too_long(label, number + good)


def _count_lines(whole: bytes) -> int:
    if b"\r" in whole:
        return len(whole.splitlines())
    return sum(1 for _ in BytesIO(whole))  # several times as fast as bytes.count


def _too_long(label: str, number: int) -> UserError:
    return UserError(
        f"{label}:{number}: a line of more than {_LONGEST >> 10} KiB; "
        "this is no CSV of 48x48 faces, get the file again"
    )

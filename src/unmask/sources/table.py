"""A CSV file as a stream of lines, wherever it is kept."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from io import BufferedReader
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


def line_blocks(stream: BufferedReader, label: str) -> Iterator[tuple[int, list[bytes]]]:
    r"""Yield all lines, some at a time, each time with the number of the first (from 1).

    Lines end with "\n", "\r\n" or "\r"; the endings are not part of them. Memory stays flat
    whatever the file holds.

    Raises UserError for a line of more than 64 KiB, after all lines before it.
    """
    number, rest = 1, b""
    while chunk := stream.read(_BLOCK):
        text = rest + chunk
        # A "\r" at the very end may be the first half of "\r\n".
        end = max(text.rfind(b"\n"), text.rfind(b"\r", 0, -1)) + 1
        lines, rest = text[:end].splitlines(), text[end:]
        yield from _checked(lines, number, label)
        number += len(lines)
        if len(rest) > _LONGEST:
            raise _too_long(label, number)
    if rest:
        yield from _checked(rest.splitlines(), number, label)


def _checked(lines: list[bytes], number: int, label: str) -> Iterator[tuple[int, list[bytes]]]:
    if max(map(len, lines), default=0) <= _LONGEST:
        yield number, lines
        return
    good = next(index for index, line in enumerate(lines) if len(line) > _LONGEST)
    yield number, lines[:good]
    raise _too_long(label, number + good)


def _too_long(label: str, number: int) -> UserError:
    return UserError(
        f"{label}:{number}: a line of more than {_LONGEST >> 10} KiB; "
        "this is no CSV of 48x48 faces, get the file again"
    )

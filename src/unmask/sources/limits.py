"""Limits on what is read from a packed file, so that forged headers and bombs do no harm.

A bomb is a small file that unpacks to more than any disk holds.
"""

import os
import re
import tarfile
from io import BufferedReader, RawIOBase
from math import inf

from unmask.core.errors import UserError
from unmask.sources.text import shown

_MAX_MEMBERS = 50_000
_ALWAYS_ALLOWED = 1 << 26
_MAX_RATIO = 200


class Capped:
    """A stream for archive readers, which would read the gigabytes of a forged header in one go.

    max_read: bytes in one read; max_total: bytes altogether.
    """

    def __init__(self, stream: BufferedReader, max_read: int, max_total: float = inf) -> None:
        self._stream, self._max_read, self._left = stream, max_read, max_total
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, size: int = -1) -> bytes:
        """Return the next `size` bytes, or raise ReadError if that is too much."""
        rest = -1  # what zipfile asks for near the end of the file
        if size != rest and not 0 <= size <= self._max_read:
            raise tarfile.ReadError("a header that is too large")
        content = self._stream.read(size)
        self._left -= len(content)
        if self._left < 0:
            raise tarfile.ReadError("headers that are too large")
        return content


class Metered(RawIOBase):
    """The unpacked content of a file, for reading, up to the size that faces could have.

    Pixels as text compress to a fifth of their size, constant faces in a test perhaps to a
    hundredth. The first 64 MiB are always let through.
    """

    def __init__(self, unpacked: RawIOBase, packed: int, label: str) -> None:
        """unpacked: the stream; packed: bytes before unpacking; label: the file's name."""
        self._unpacked, self._label = unpacked, label
        self._max_size = max(_ALWAYS_ALLOWED, _MAX_RATIO * packed)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read some bytes; raise UserError if there are more than allowed."""
        count = self._unpacked.readinto(buffer) or 0
        self._check(self._unpacked.tell())
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a byte, which may mean unpacking everything before it."""
        target = offset + (self._unpacked.tell() if whence == os.SEEK_CUR else 0)
        self._check(target)
        return self._unpacked.seek(target)

    def tell(self) -> int:
        """Return the position of the next byte."""
        return self._unpacked.tell()

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return whether `seek` works."""
        return self._unpacked.seekable()

    def _check(self, position: int) -> None:
        if position > self._max_size:
            raise UserError(
                f"{self._label}: unpacks to more than {_MAX_RATIO} times its size, as faces never "
                "do; get the file again"
            )


def refuse_outside(name: str, label: str) -> None:
    """Raise UserError for a path that no honest archive has, though none is ever followed."""
    if (
        name.startswith(("/", "\\"))
        or re.match("[A-Za-z]:", name)
        or ".." in re.split(r"[/\\]", name)
    ):
        raise UserError(
            f"{label}/{shown(name)}: a path that leads out of the archive; "
            "pack the file again under its bare name"
        )


def refuse_many(count: int, label: str) -> None:
    """Raise UserError if an archive has too many members."""
    if count > _MAX_MEMBERS:
        raise UserError(
            f"{label}: more than {_MAX_MEMBERS} files in this archive; "
            "unpack it and name the CSV file or the folder of images"
        )

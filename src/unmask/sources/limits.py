"""Limits on what is read of a packed file, so that forged headers and bombs stay harmless.

A bomb is a small file that unpacks to more than any disk holds.
"""

import os
import tarfile
from io import BufferedReader, RawIOBase
from math import inf

from unmask.core.errors import UserError


class Capped:
    """A stream for the readers of archives, which would read forged headers of gigabytes at once.

    most_at_once: bytes; most: bytes in all.
    """

    def __init__(self, stream: BufferedReader, most_at_once: int, most: float = inf) -> None:
        self._stream, self._most_at_once, self._left = stream, most_at_once, most
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, size: int = -1) -> bytes:
        """Return the next `size` bytes, or raise ReadError where that is too much."""
        rest = -1  # what zipfile asks for near the end of the file
        if size != rest and not 0 <= size <= self._most_at_once:
            raise tarfile.ReadError("a header that is too large")
        content = self._stream.read(size)
        self._left -= len(content)
        if self._left < 0:
            raise tarfile.ReadError("headers that are too large")
        return content


_ALWAYS = 1 << 26
_TIMES = 200


class Metered(RawIOBase):
    """What is unpacked of a file, for reading, up to what faces could be.

    Pixels as text are packed to a fifth, a test's constant faces perhaps to a hundredth. The first
    64 MiB are let through in any case.
    """

    def __init__(self, unpacked: RawIOBase, packed: int, label: str) -> None:
        """unpacked: stream of what was `packed` bytes; label: the file's name for the message."""
        self._unpacked, self._label = unpacked, label
        self._most = max(_ALWAYS, _TIMES * packed)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read some bytes; raise UserError where there are more than there may be."""
        count = self._unpacked.readinto(buffer) or 0
        self._check(self._unpacked.tell())
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a byte, which may mean to unpack all that is before it."""
        target = offset + (self._unpacked.tell() if whence == os.SEEK_CUR else 0)
        self._check(target)
        return self._unpacked.seek(target)

    def tell(self) -> int:
        """Return the place of the next byte."""
        return self._unpacked.tell()

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say whether `seek` works."""
        return self._unpacked.seekable()

    def _check(self, position: int) -> None:
        if position > self._most:
            raise UserError(
                f"{self._label}: unpacks to more than {_TIMES} times its size, as no faces do; "
                "get the file again"
            )

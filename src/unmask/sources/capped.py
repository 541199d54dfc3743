"""Reading no more of an archive's headers than an honest archive has."""

import tarfile
from io import BufferedReader
from math import inf


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

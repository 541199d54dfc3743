"""Archives with members of every kind, as no tool would pack them."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Iterable

Member = tuple[str | zipfile.ZipInfo, bytes]


def zipped(members: Iterable[Member], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name, content in members:
            file.writestr(name, content)
    return buffer.getvalue()


def tarred(members: Iterable[tuple[str, bytes]], mode: str = "w", **details: object) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, **details) as file:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            file.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def tar_entry(name: str, kind: bytes, target: str = "") -> bytes:
    """A tar with one member that is not a file, such as a link or a device."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry.tobuf() + bytes(1024)


def pax(headers: dict[str, str], content: bytes = b"") -> bytes:
    """A tar with one file that has these extended headers."""
    entry = tarfile.TarInfo("fer2013.csv")
    entry.size, entry.pax_headers = len(content), headers
    padding = bytes(-len(content) % 512)
    return entry.tobuf(tarfile.PAX_FORMAT) + content + padding + bytes(1024)


def bomb(start: bytes, block: bytes, times: int) -> bytes:
    """A gzip that unpacks to `start` and then `block`, `times` times."""
    buffer = io.BytesIO()
    with gzip.open(buffer, "wb", compresslevel=9) as file:
        file.write(start)
        for _ in range(times):
            file.write(block)
    return buffer.getvalue()

"""Recognising a file by its first bytes, whatever its name says."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from contextlib import AbstractContextManager
from io import BufferedReader

from unmask.core.errors import UserError

LENGTH = 4096
"""Number of bytes that the functions of this module need to see."""

Unpacker = Callable[[BufferedReader], AbstractContextManager[object]]
"""Opens a compressed stream for reading its content."""

_UNPACK: dict[bytes, Unpacker] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"\xfd7zXZ\x00": lzma.LZMAFile,
    b"BZh": bz2.BZ2File,
}

_NOT_READ = {
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!": "RAR",
    b"(\xb5/\xfd": "Zstandard",
    b"\x1f\x9d": "compress",
}

_AGAIN = "get the file again, for instance with `unmask-fetch`"


def is_zip(head: bytes) -> bool:
    """Return whether a file that starts with `head` is a zip archive."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def is_tar(head: bytes) -> bool:
    """Return whether a file that starts with `head` is a tar archive."""
    return head[257:262] == b"ustar"


def unpacker(head: bytes) -> Unpacker | None:
    """Return what opens a file that starts with `head`, or None if it is not compressed."""
    return next((unpack for magic, unpack in _UNPACK.items() if head.startswith(magic)), None)


def refuse_foreign(head: bytes, label: str, again: str = _AGAIN) -> None:
    """Raise UserError if `head` is not how a CSV file starts.

    label: the file's name for the message; again: what the message says about getting it again.
    """
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        raise UserError(f"{label}: empty; {again}")
    for magic, name in _NOT_READ.items():
        if head.startswith(magic):
            raise UserError(f"{label}: packed with {name}, which is not supported; unpack it first")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UserError(f"{label}: text in UTF-16; save it as UTF-8, or {again}")
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")):
        raise UserError(f"{label}: a web page, perhaps a login page; {again}")
    if start.startswith(b"version https://git-lfs"):
        raise UserError(f"{label}: a git-lfs pointer, not the data; run `git lfs pull`")
    if start.startswith((b"outs:", b"md5:")):
        raise UserError(
            f"{label}: a DVC pointer, not the data; run `dvc pull` and name the file itself"
        )
    if unpacker(head) or is_zip(head) or is_tar(head):
        raise UserError(f"{label}: an archive inside an archive; unpack the outer one")
    if b"\0" in head.splitlines()[0]:  # one in a later line is reported with that line
        raise UserError(f"{label}: binary data or UTF-16 text, not a CSV file; {again}")

"""CSV files in compressed files and archives, read as streams: nothing is unpacked to disk.

The first bytes of a file decide what it is, not its name: a gzip named `.csv` is read as gzip.
"""

import errno
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Any, NamedTuple, cast

from unmask.core.errors import UserError
from unmask.sources import head
from unmask.sources.columns import by_split, is_complete
from unmask.sources.limits import Capped, Metered, refuse_many, refuse_outside
from unmask.sources.text import data_names, listed, refuse_unread, shown, stem

WHOLE = ("fer2013", "icml_face_data")
"""Names, without suffix, of files that hold all splits."""

_MAX_READ = 1 << 20
_MAX_DIRECTORY = 1 << 24  # of a zip, which is read in one go
_MAX_HEADERS = 1 << 25  # of a tar in total, which stay in memory
_DAMAGE_ERRORS = (
    EOFError,
    NotImplementedError,
    lzma.LZMAError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


class CsvFile(NamedTuple):
    """One CSV file: plain, compressed or inside an archive.

    label: its name in messages; open: opens it for reading from the start, unpacked as it is read;
    split: that of all its faces, or None if it has the column Usage.
    """

    label: str
    open: Callable[[], AbstractContextManager[BufferedReader]]
    split: int | None = None


class _Member(NamedTuple):
    """A file in an archive, or a link or device in place of one.

    key: its entry, a ZipInfo or TarInfo.
    """

    name: str
    key: Any
    is_file: bool


def csv_files(path: Path) -> list[CsvFile]:
    """Return the CSV file in `path`, or those of train, validation and test if an archive has them.

    path: a CSV file, plain or as `.gz`, `.xz` or `.bz2`, or a `.zip` or a `.tar`, which may itself
    be compressed. An archive must hold one file of WHOLE, or else one for each split (see
    `split_named`; validation may be missing), or else one CSV file, and nothing unknown beside it.
    Raises UserError if it does not, or is damaged.
    """
    label = shown(path)
    with path.open("rb") as file:
        start = file.read(head.LENGTH)
    if head.is_zip(start):
        members, open_member = _zip_members(path), _open_in_zip
    else:
        unpack = head.unpacker(start)
        with _open(path, unpack, label) as stream:
            if not head.is_tar(stream.peek(head.LENGTH)):
                return [CsvFile(label, partial(_open, path, unpack, label))]
        members, open_member = _tar_members(path, unpack), partial(_open_in_tar, unpack)
    kept = set(data_names([member.name for member in members]))
    chosen = _chosen([member for member in members if member.name in kept], label)
    for member in chosen.values():
        if not member.is_file:
            raise UserError(
                f"{label}/{shown(member.name)}: a link or a device instead of a file; "
                "pack the file itself"
            )
    return [
        CsvFile(f"{label}/{shown(member.name)}", partial(open_member, path, member), split)
        for split, member in chosen.items()
    ]


def _chosen(members: Sequence[_Member], label: str) -> dict[int | None, _Member]:
    """Return the files to read by split; the key is None if one file holds all splits."""
    names = [member.name for member in members]
    tables = [member for member in members if member.name.lower().endswith(".csv")]
    whole = [member for member in tables if stem(member.name) in WHOLE]
    splits = by_split([member.name for member in tables])
    chosen: dict[int | None, _Member] = {}
    if len(whole or tables) == 1:
        chosen = {None: (whole or tables)[0]}
    elif not whole and is_complete(splits):
        found = {member.name: member for member in tables}
        chosen = {split: found[name] for split, (name,) in splits.items()}
    elif tables:
        several = listed([member.name for member in whole or tables])
        raise UserError(
            f"{label}: several CSV files ({several}); unpack it and name the one to read"
        )
    else:
        raise UserError(f"{label}: {_what_it_is(names)}")
    fix = "pack it without that, or unpack it and name what to read"
    refuse_unread(names, label, [member.name for member in chosen.values()], fix)
    return chosen


def _what_it_is(names: Sequence[str]) -> str:
    """Return what is wrong with an archive without a CSV file, and what to do."""
    kind = head.zipped_document(names)
    if kind:
        return f"{kind}, not a CSV file; save its table as CSV, or name another file"
    return (
        f"no CSV file in this archive (it holds {listed(names) or 'nothing'}); "
        "if it holds a folder of images, unpack it and name the folder"
    )


@contextmanager
def _damage_as_user_error(label: str) -> Iterator[None]:
    """Turn the exceptions that archive readers raise for a damaged file into a UserError."""
    try:
        yield
    except _DAMAGE_ERRORS as error:
        what = str(error) or type(error).__name__
    except OSError as error:
        # EINVAL comes from an offset before the start; others are the operating system's own.
        if error.errno not in (None, errno.EINVAL):
            raise
        what = str(error)
    else:
        return
    raise UserError(
        f"{label}: cut short, damaged or packed in an unknown way ({what}); get the file again"
    )


@contextmanager
def _open(path: Path, unpack: head.Unpacker | None, label: str) -> Iterator[BufferedReader]:
    with _damage_as_user_error(label), path.open("rb") as file:
        if unpack is None:
            yield file
        else:
            with unpack(file) as unpacked, _metered(unpacked, path, label) as stream:
                yield stream


def _metered(unpacked: object, path: Path, label: str) -> BufferedReader:
    """Return a stream over the unpacked content of `path` that fails early if that is a bomb."""
    # The archive readers have no common type.
    return BufferedReader(Metered(cast("RawIOBase", unpacked), path.stat().st_size, label))


def _zip_members(path: Path) -> list[_Member]:
    with _damage_as_user_error(shown(path)), path.open("rb") as file:
        try:
            with zipfile.ZipFile(Capped(file, _MAX_DIRECTORY)) as archive:
                entries = archive.infolist()
        except ValueError as error:  # offsets and names that make no sense
            raise zipfile.BadZipFile(str(error)) from None
    refuse_many(len(entries), shown(path))
    members = []
    for entry in entries:
        refuse_outside(entry.filename, shown(path))
        # A name may be empty, which `is_dir` cannot handle.
        if entry.filename and not entry.is_dir():
            is_file = stat.S_IFMT(entry.external_attr >> 16) in (0, stat.S_IFREG)
            members.append(_Member(entry.filename, entry, is_file))
    return members


@contextmanager
def _open_in_zip(path: Path, member: _Member) -> Iterator[BufferedReader]:
    label = f"{shown(path)}/{shown(member.name)}"
    if member.key.flag_bits & 1:
        raise UserError(f"{label}: protected by a password; unpack it first")
    with (
        _damage_as_user_error(label),
        zipfile.ZipFile(path) as archive,
        archive.open(member.key) as unpacked,
        _metered(unpacked, path, label) as stream,
    ):
        yield stream


@contextmanager
def _open_tar(path: Path, unpack: head.Unpacker | None) -> Iterator[tarfile.TarFile]:
    with (
        _open(path, unpack, shown(path)) as stream,
        tarfile.TarFile(fileobj=Capped(stream, _MAX_READ)) as archive,  # type: ignore[arg-type]
    ):
        yield archive


def _tar_members(path: Path, unpack: head.Unpacker | None) -> list[_Member]:
    with _open(path, unpack, shown(path)) as stream:
        capped = Capped(stream, _MAX_READ, _MAX_HEADERS)
        try:
            with tarfile.TarFile(fileobj=capped) as archive:  # type: ignore[arg-type]
                members = _tar_entries(archive, shown(path))
        except (ValueError, RecursionError) as error:  # invalid numbers, endless long names
            raise tarfile.ReadError(str(error)) from None
        # The checksum of a compressed tar is at its very end, beyond what tarfile reads.
        while stream.read(_MAX_READ):
            pass
    return members


def _tar_entries(archive: tarfile.TarFile, label: str) -> list[_Member]:
    members = []
    for count, entry in enumerate(archive, start=1):
        refuse_many(count, label)
        refuse_outside(entry.name, label)
        if not entry.isdir():
            members.append(_Member(entry.name, entry, entry.isreg()))
    return members


@contextmanager
def _open_in_tar(
    unpack: head.Unpacker | None, path: Path, member: _Member
) -> Iterator[BufferedReader]:
    with _open_tar(path, unpack) as archive:
        stream = archive.extractfile(member.key)
        if not isinstance(stream, BufferedReader):
            raise tarfile.ReadError("a member that is not a file")
        with stream:
            yield stream

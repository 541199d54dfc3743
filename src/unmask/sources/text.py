"""Text from outside: CSV files as streams of lines, names of files, and how messages show both."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from fnmatch import translate
from io import BufferedReader, BytesIO
from pathlib import Path, PurePosixPath

from unmask.core.errors import UserError, printable

_BLOCK = 1 << 19
_MAX_LINE = 1 << 16
_MAX_QUOTE, _MAX_NAMES = 24, 6

LEFTOVERS = (
    # hidden: .DS_Store, ._*, .Trash-1000, .nfs*, .ipynb_checkpoints, .thumbnails, .gitignore
    ".?*",
    # Windows, where x.png:Zone.Identifier says that x.png was downloaded
    *("*zone.identifier", "*:$data", "*[:\uf022]afp_*", "*:com.dropbox.*", "*:com.apple.*"),
    *("thumbs.db", "thumbs.db:*", "ehthumbs*.db", "desktop.ini", "system volume information"),
    *("$recycle.bin", "recycle[dr]", "found.[0-9][0-9][0-9]", "picasa.ini", "zbthumbnail.info"),
    # macOS (as Samba shows it, too), network storage, Linux
    *("__macosx", "icon\r", "icon\uf00d", "network trash folder", "temporary items"),
    *("thevolumesettingsfolder", "thefindbycontentfolder"),
    *("@eadir", "@recycle", "@recently-snapshot", "@__thumb", "@tmp", "#recycle", "#snapshot"),
    *("lost+found", "aquota.user", "aquota.group"),
    # editors, Python, tar
    *("*~", "~$*", "~wrl*.tmp", "#*#", "*.sw[op]", "__pycache__"),
    *("pax_global_header", "paxheader", "paxheaders.*"),
)
"""Names, in lower case, that file systems, archivers and editors leave behind: no data."""

NOTES = (
    *("readme", "licen[cs]e", "copying", "notice", "authors", "citation", "changelog"),
    *("*.md", "*.txt", "*.rst", "*.pdf", "*.bib", "*.cff"),
    *("*.md5", "*.sha1", "*.sha256", "*.sha512", "md5sums", "sha*sums", "checksums"),
)
"""Names, in lower case, of what may be beside the data, unread."""

_FACELESS = {"fer2013new", "example_submission"}  # FER+'s votes, and guesses
_COMPANIONS = {"icml_face_data": {"train", "test", "fer2013"}}  # the same faces again
_SAMPLE = {"sample.csv", "sample.png", "sample_votes.csv"}  # what the stage make_sample writes
_SUFFIXES = {".csv", ".gz", ".xz", ".bz2", ".zip", ".tar", ".tgz", ".txz"}


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
    """Return a file's name with unprintable characters (line feeds, escapes) as question marks.

    It is in quotes if it begins or ends with a blank, or is empty, as nobody would see that.
    """
    text = printable(str(name))
    return text if text and text == text.strip() else f"'{text}'"


def quoted(value: bytes) -> str:
    """Return a field of a file in quotes, shortened to a few characters."""
    text = value.decode("utf-8", "backslashreplace")
    cut = text if len(text) <= _MAX_QUOTE else f"{text[:_MAX_QUOTE]}..."
    return repr(cut).replace("\\\\", "\\")


def listed(names: Sequence[str | Path]) -> str:
    """Return the first few names, separated by commas."""
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return ", ".join(shown(name) for name in names[:_MAX_NAMES]) + more


def data_names(names: Sequence[str]) -> list[str]:
    """Return `names`, paths in a source, without leftovers and DVC pointers to others of them."""
    known = set(names)
    return [
        name
        for name in names
        if not any(_is_leftover(part.lower()) for part in name.split("/"))
        and not (name.endswith(".dvc") and name.removesuffix(".dvc") in known)
    ]


def stem(name: str) -> str:
    """Return the lower-case name of a table or archive without suffixes; "" for other files."""
    whole = PurePosixPath(name.lower()).name
    bare = whole
    while PurePosixPath(bare).suffix in _SUFFIXES:
        bare = PurePosixPath(bare).stem
    return bare if bare != whole else ""


def refuse_unread(names: Sequence[str], label: str | Path, chosen: Sequence[str], fix: str) -> None:
    """Raise UserError if a source holds anything that is neither read nor known to be idle.

    names: everything in the source `label` but leftovers; chosen: the tables that are read, none if
    they are images; fix: what the message says about the rest.
    """
    idle = _FACELESS.union(*(_COMPANIONS.get(stem(name), ()) for name in chosen))
    known = {*chosen} | (_SAMPLE if _SAMPLE.issubset(names) else set())
    unread = [
        name
        for name in names
        if name not in known
        and stem(name) not in idle
        and not _is_note(PurePosixPath(name).name.lower())
    ]
    if unread:
        beside = f"which would not be read beside {listed(chosen) or 'the folders of images'}"
        raise UserError(f"{shown(label)}: holds {listed(unread)}, {beside}; {fix}")


def refuse_unrecordable(source: Path) -> None:
    """Raise UserError for a name, of a source or of anything in it, that DVC cannot record.

    DVC writes names as UTF-8, a folder's as JSON and others as YAML, which ends a line at "\\x85".
    With `exp run -S` it puts the value of the key x in place of "${x}" in `params.yaml`.
    """
    inside = (
        os.path.join(folder, name)  # noqa: PTH118, as Path takes ten times as long
        for folder, folders, files in (os.walk(source) if source.is_dir() else ())
        for name in (*folders, *files)
    )
    for path in (str(source), *inside):
        try:
            path.encode()
        except UnicodeEncodeError:
            raise UserError(
                f"{shown(path)}: a name that is not UTF-8, which DVC cannot record; rename it"
            ) from None
    if "\x85" in str(source):
        raise UserError(f"{shown(source)}: a name that DVC cannot record; rename it")
    if "${" in str(source):
        raise UserError(
            f"{shown(source)}: a name with ${{, which `dvc exp run -S` replaces; rename it"
        )


def _matcher(patterns: Sequence[str]) -> Callable[[str], re.Match[str] | None]:
    return re.compile("|".join(map(translate, patterns))).match


_is_leftover, _is_note = _matcher(LEFTOVERS), _matcher(NOTES)

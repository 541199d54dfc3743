"""Archives and compressed files that are damaged, hold no faces, or were made to do harm."""

import bz2
import gzip
import lzma
import stat
import struct
import tarfile
import zipfile
from pathlib import Path

from cases import Case, Content, put, table_with
from packing import bomb, pax, tar_entry, tarred, zipped

from faces_csv import HEADER, row, table

_DAMAGED = "cut short, damaged or packed in an unknown way (...); get the file again"
_UNPACK = "unpack it and name the one to read"
_MEBIBYTE = 1 << 20


def _case(name: str, content: Content, what: str, file: str = "fer2013.zip") -> Case:
    return Case(name, put(content, file), f"{file}{what}", source=file)


def _unread(name: str, members: list[tuple[str, bytes]], unread: str, beside: str) -> Case:
    what = f"holds {unread}, which would not be read beside {beside}"
    return _case(
        name, zipped(members), f": {what}; pack it without that, or unpack it and name what to read"
    )


def _damaged(name: str, content: bytes, file: str) -> Case:
    return _case(name, content, f"...: {_DAMAGED}", file)


def _flipped(content: bytes) -> bytes:
    at = len(content) // 2
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def _patched(content: bytes, offset: int, value: bytes) -> bytes:
    """A zip with `value` at `offset` of each local header, and two further on in the directory."""
    patched = bytearray(content)
    for magic, at in ((b"PK\x03\x04", offset), (b"PK\x01\x02", offset + 2)):
        found = -1
        while (found := content.find(magic, found + 1)) >= 0:
            patched[found + at : found + at + len(value)] = value
    return bytes(patched)


def _zip_link() -> bytes:
    entry = zipfile.ZipInfo("fer2013.csv")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return zipped([(entry, b"/etc/passwd")])


def _chained_headers(count: int) -> bytes:
    """A tar in which a long name has a long name, which has a long name, and so on."""
    entry = tarfile.TarInfo("././@LongLink")
    entry.type, entry.size = tarfile.GNUTYPE_LONGNAME, 9
    return (entry.tobuf() + b"some name".ljust(512, b"\0")) * count + bytes(1024)


def _many_large_headers(count: int) -> bytes:
    """A compressed tar of small files with extended headers of a mebibyte each."""
    one = pax({"comment": "x" * (_MEBIBYTE - 9999)})[:-1024]
    return bomb(b"", one, count)


def _forged_header() -> bytes:
    entry = tarfile.TarInfo("fer2013.csv")
    entry.type, entry.size = tarfile.XHDTYPE, 1 << 30
    return gzip.compress(entry.tobuf() + bytes(100_000))


def _wide_directory(count: int) -> bytes:
    """A zip whose directory names `count` files that are all the same bytes."""
    small = zipped([("a", b"")])
    start = small.index(b"PK\x01\x02")
    end = small.index(b"PK\x05\x06")
    directory = small[start:end] * count
    sizes = struct.pack("<HHII", count & 0xFFFF, count & 0xFFFF, len(directory), start)
    return small[:start] + directory + small[end : end + 8] + sizes + b"\0\0"


def _in_folder(folder: Path) -> None:
    put(zipped([("train.csv", b"x"), ("test.csv", b"x")]), "d/train.csv")(folder)
    put(table(), "d/test.csv")(folder)


_GZIP, _XZ, _BZIP2 = (
    gzip.compress(table(), 1),
    lzma.compress(table(), preset=0),
    bz2.compress(table()),
)
_PAIR = [("train.csv", b"x"), ("test.csv", b"x")]
_ZIP, _TAR = zipped([("fer2013.csv", table())]), tarred([("fer2013.csv", table())])

DAMAGED = [
    _damaged("a gzip cut short", _GZIP[:-5000], "fer2013.csv.gz"),
    _damaged("only the header of a gzip", _GZIP[:12], "fer2013.csv.gz"),
    _damaged("a gzip with a flipped bit", _flipped(_GZIP), "fer2013.csv.gz"),
    _damaged("a gzip with a wrong checksum", _GZIP[:-8] + bytes(8), "fer2013.csv.gz"),
    _damaged("an xz file cut short", _XZ[:-9], "fer2013.csv.xz"),
    _damaged("an xz file with a flipped bit", _flipped(_XZ), "fer2013.csv.xz"),
    _damaged("a bzip2 file cut short", _BZIP2[:-9], "fer2013.csv.bz2"),
    _damaged("a zip cut short", _ZIP[:-30], "fer2013.zip"),
    _damaged("a zip with a flipped bit", _flipped(_ZIP), "fer2013.zip"),
    _damaged("a tar cut short", _TAR[:9999], "fer2013.tar"),
    _damaged("a compressed tar cut short", gzip.compress(_TAR)[:-99], "fer2013.tar.gz"),
    _damaged("a tar without members", bytes(257) + b"ustar" + bytes(9999), "fer2013.tar"),
    _case("a gzip of a web page named .csv", gzip.compress(b"<html></html>"), ": a web page, perhaps a login page; get the file again, for instance with `unmask fetch`", "fer2013.csv"),
    _case("a zip of notes named .csv", zipped([("README", b"x")]), ": no CSV file in this archive (it holds README); ...", "fer2013.csv"),
    _case("a bad row in a compressed file", gzip.compress(table_with(row(7))), ":5: emotion is '7', not 0, 1, ... or 6; get the file again, or fix this line", "fer2013.csv.gz"),
]  # fmt: skip

CHOICES = [
    _case("an archive without files", zipped([]), ": no CSV file in this archive (it holds nothing); ..."),
    _case("an archive without a CSV file", zipped([("README", b"x")]), ": no CSV file in this archive (it holds README); if it holds a folder of images, unpack it and name the folder"),
    _case("an archive of images", tarred([("train/happy/1.png", b"x")]), ": no CSV file in this archive (it holds train/happy/1.png); if it holds a folder of images, unpack it and name the folder", "fer2013.tar"),
    _case("a workbook", zipped([("[Content_Types].xml", b"x"), ("xl/workbook.xml", b"x")]), ": an Excel workbook (.xlsx), not a CSV file; save its table as CSV, or name another file", "fer2013.xlsx"),
    _case("an OpenDocument sheet", zipped([("mimetype", b"x"), ("content.xml", b"x")]), ": an OpenDocument file (.ods), not a CSV file; save its table as CSV, or name another file", "fer2013.ods"),
    _case("a PyTorch checkpoint", zipped([("w/data.pkl", b"x"), ("w/data/0", b"x")]), ": weights (a PyTorch checkpoint), not a CSV file; save its table as CSV, or name another file", "w.pt"),
    _case("packed NumPy arrays", zipped([("images.npy", b"x"), ("labels.npy", b"x")]), ": NumPy arrays (.npz), not a CSV file; save its table as CSV, or name another file", "fer2013.npz"),
    _case("an archive with two candidates", zipped([("a.csv", table()), ("b.csv", table())]), f": several CSV files (a.csv, b.csv); {_UNPACK}"),
    _case("an archive with two files of the same name", zipped([("a/fer2013.csv", b"x"), ("b/fer2013.csv", b"x")]), f": several CSV files (a/fer2013.csv, b/fer2013.csv); {_UNPACK}"),
    _case("an archive with three files of a pair", zipped([("train.csv", b"x"), ("test.csv", b"x"), ("a/test.csv", b"x")]), f": several CSV files (train.csv, test.csv, a/test.csv); {_UNPACK}"),
    Case("an archive of a pair in one of a pair", _in_folder, "d/train.csv: several CSV files in that of one split; name this file itself", source="d"),
    _unread("an archive with a third CSV file of another name", [*_PAIR, ("extra.csv", b"x")], "extra.csv", "train.csv, test.csv"),
    _unread("an archive with a compressed third CSV file", [*_PAIR, ("val.csv.gz", b"x")], "val.csv.gz", "train.csv, test.csv"),
    _unread("an archive with a CSV file beside the whole", [("d/fer2013.csv", table()), ("d/val.csv", b"x")], "d/val.csv", "d/fer2013.csv"),
    _unread("an archive with images beside the whole", [("fer2013.csv", table()), ("train/sad/1.png", b"x"), ("train/sad/2.png", b"x")], "train/sad/1.png, train/sad/2.png", "fer2013.csv"),
    _unread("an archive with arrays beside the only table", [("faces.csv", table()), ("faces.npy", b"x")], "faces.npy", "faces.csv"),
    _case("an archive with two files for validation", zipped([*_PAIR, ("val.csv", b"x"), ("PublicTest.csv", b"x")]), f": several CSV files (train.csv, test.csv, val.csv, PublicTest.csv); {_UNPACK}"),
    _case("an archive of leftovers", zipped([("__MACOSX/fer2013.csv", b"x"), ("fer2013.csv~", b"x"), ("@eaDir/fer2013.csv", b"x")]), ": no CSV file in this archive (it holds nothing); ..."),
    _case("an archive in an archive", zipped([("fer2013.csv", _GZIP)]), "/fer2013.csv: an archive inside an archive; unpack the outer one"),
    _case("a zip with a password", _patched(_ZIP, 6, b"\1\0"), "/fer2013.csv: protected by a password; unpack it first"),
    _case("a zip compressed by an unknown method", _patched(_ZIP, 8, b"\x63\0"), f"/fer2013.csv: {_DAMAGED}"),
]  # fmt: skip

_OUTSIDE = "a path that leads out of the archive; pack the file again under its bare name"
_NO_FILE = "a link or a device instead of a file; pack the file itself"
_BLANK = b"\n" + b" " * 60_000
_BOMB = "unpacks to more than 200 times its size, as faces never do; get the file again"

EVIL = [
    _case("a zip member ../x", zipped([("../evil.csv", table())]), f"/../evil.csv: {_OUTSIDE}"),
    _case("a tar member ../x", tarred([("d/../../evil.csv", table())]), f"/d/../../evil.csv: {_OUTSIDE}", "fer2013.tar"),
    _case("a zip member ..\\x", zipped([("..\\evil.csv", table())]), f"/..\\evil.csv: {_OUTSIDE}"),
    _case("an absolute zip member", zipped([("/tmp/evil.csv", table())]), f"//tmp/evil.csv: {_OUTSIDE}"),
    _case("an absolute tar member", tarred([("/tmp/evil.csv", table())]), f"//tmp/evil.csv: {_OUTSIDE}", "fer2013.tar"),
    _case("a zip member on a drive", zipped([("C:\\evil.csv", table())]), f"/C:\\evil.csv: {_OUTSIDE}"),
    _case("a member ../x next to a good one", zipped([("fer2013.csv", table()), ("../evil.txt", b"x")]), f"/../evil.txt: {_OUTSIDE}"),
    _case("a symbolic link in a tar", tar_entry("fer2013.csv", tarfile.SYMTYPE, "/etc/passwd"), f"/fer2013.csv: {_NO_FILE}", "fer2013.tar"),
    _case("a symbolic link in a zip", _zip_link(), f"/fer2013.csv: {_NO_FILE}"),
    _case("a hard link in a tar", tar_entry("fer2013.csv", tarfile.LNKTYPE, "/etc/passwd"), f"/fer2013.csv: {_NO_FILE}", "fer2013.tar"),
    _case("a named pipe in a tar", tar_entry("fer2013.csv", tarfile.FIFOTYPE), f"/fer2013.csv: {_NO_FILE}", "fer2013.tar"),
    _case("a character device in a tar", tar_entry("fer2013.csv", tarfile.CHRTYPE), f"/fer2013.csv: {_NO_FILE}", "fer2013.tar"),
    _case("a block device in a tar", tar_entry("fer2013.csv", tarfile.BLKTYPE), f"/fer2013.csv: {_NO_FILE}", "fer2013.tar"),
    _case("a zip member without a name", zipped([("ab", b"x")]).replace(b"ab", b"\0b"), ": no CSV file in this archive (it holds nothing); ..."),
    _case("names with control characters", zipped([("a\n\x1b[31m.csv", b"x"), ("b\x07.csv", b"x")]), f": several CSV files (a??[31m.csv, b?.csv); {_UNPACK}"),
    _case("a bomb of one long line", lambda: bomb(table(), b"1 " * _MEBIBYTE, 64), ":23: a line of more than 64 KiB; this is not a CSV file of 48x48 faces, get the file again", "fer2013.csv.gz"),
    _case("a bomb of zeros", lambda: bomb(b"", bytes(_MEBIBYTE), 64), ": binary data or UTF-16 text, not a CSV file; get the file again, for instance with `unmask fetch`", "fer2013.csv.gz"),
    _case("a bomb of blank lines", lambda: bomb(f"{HEADER}\n".encode(), _BLANK * 20, 80), f": {_BOMB}", "fer2013.csv.gz"),
    _case("a bomb of valid rows", lambda: bomb(table(), f"0,{' '.join(['7'] * 2304)},Training\n".encode() * 200, 80), f": {_BOMB}", "fer2013.csv.gz"),
    _case("a bomb in a zip", lambda: zipped([("fer2013.csv", HEADER.encode() + _BLANK * 1600)]), f"/fer2013.csv: {_BOMB}"),
    _case("a bomb in front of the file in a tar", lambda: bomb(tarred([("big", bytes(80 * _MEBIBYTE))])[:-10240], _TAR, 1), f": {_BOMB}", "fer2013.tar.gz"),
    _case("a bomb in a bomb", lambda: zipped([("fer2013.csv", zipped([("fer2013.csv", bytes(64 * _MEBIBYTE))]))]), "/fer2013.csv: an archive inside an archive; unpack the outer one"),
    _case("a tar header that claims a gigabyte", lambda: _forged_header(), f": {_DAMAGED}", "fer2013.tar.gz"),
    _case("tar headers that refer to each other", lambda: _chained_headers(5000), f": {_DAMAGED}", "fer2013.tar"),
    _case("tar headers of a mebibyte each", lambda: _many_large_headers(60), f": {_DAMAGED}", "fer2013.tar.gz"),
    _case("a sparse file with an invalid map", pax({"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}, b"x" * 600), f": {_DAMAGED}", "fer2013.tar"),
    _case("a sparse file of an exabyte", pax({"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(1 << 60)}, b"1\n0\n0\n".ljust(512, b"\0")), "/fer2013.csv: ...", "fer2013.tar"),
    _case("a zip of 100,000 files", lambda: _wide_directory(100_000), ": more than 50000 files in this archive; unpack it and name the CSV file or the folder of images"),
    _case("a zip of 2,000,000 files", lambda: _wide_directory(2_000_000), f": {_DAMAGED}"),
]  # fmt: skip

CASES = DAMAGED + CHOICES + EVIL

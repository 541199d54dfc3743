"""Recognising a file by its first bytes, whatever its name says."""

import bz2
import gzip
import json
import lzma
import re
import shlex
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from io import BufferedReader
from pathlib import PurePosixPath

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
    b"\x04\x22\x4d\x18": "LZ4",
    b"LZIP": "lzip",
    b"]\0\0": "LZMA",
    **dict.fromkeys((b"x\x01", b"x\x9c", b"x\xda"), "zlib"),
}

_HDF5 = b"\x89HDF\r\n\x1a\n"

_FORMATS = {
    _HDF5: "an HDF5 file",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Excel workbook (.xls) or other Office document",
    b"SQLite format 3\0": "an SQLite database",
    **dict.fromkeys((b"MATLAB 5.0 MAT-file", b"MATLAB 7.3 MAT-file"), "a MATLAB file"),
    b"\x93NUMPY": "a NumPy array (.npy)",
    b"Obj\x01": "an Avro file",
    b"\xff\xff\xff\xff": "an Arrow stream",
    b"PARE": "an encrypted Parquet file",
    **dict.fromkeys((b"RDX2\n", b"RDX3\n", b"X\n\0\0\0"), "an R file"),
    **dict.fromkeys((b"<stata_dta>", b"\x72\2\1\0", b"\x73\2\1\0"), "a Stata file"),
    **dict.fromkeys((b"$FL2", b"$FL3"), "an SPSS file"),
    bytes(12) + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf": "a SAS file",
    **dict.fromkeys((b"CDF\x01", b"CDF\x02", b"CDF\x05"), "a NetCDF file"),
    b"SIMPLE  =": "a FITS file",
    b"{\\rtf": "an RTF document",
    b"%PDF-": "a PDF document",
    **dict.fromkeys((b"\x80\2", b"\x80\3", b"\x80\4", b"\x80\5"), "a pickle"),
    **dict.fromkeys((b"(dp0\n", b"(lp0\n", b"]q\0", b"}q\0"), "a pickle"),
}
"""Files with other tables, by how they start."""

_WEIGHTS = {
    b"GGUF": "GGUF",
    b"TFL3": "TensorFlow Lite",
}
"""Weights of models, by how they start; TensorFlow Lite after four bytes."""

_BY_PANDAS = {
    b"PAR1": ("a Parquet file", "read_parquet"),
    b"ARROW1\0\0": ("a Feather or Arrow file", "read_feather"),
    b"FEA1": ("a Feather file", "read_feather"),
    b"ORC": ("an ORC file", "read_orc"),
}

_IMAGES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    **dict.fromkeys((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), "TIFF"),
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"8BPS": "Photoshop",
    **dict.fromkeys((b"P2\n", b"P3\n", b"P5\n", b"P6\n"), "PNM"),
}

_HEIF = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis")

_DOCUMENTS = {
    "xl/": "an Excel workbook (.xlsx)",
    "word/": "a Word document (.docx)",
    "content.xml": "an OpenDocument file (.ods)",
    "Index/": "a Numbers spreadsheet",
}
"""Documents that are zip archives, by the start of the name of a member."""

_AGAIN = "get the file again, for instance with `unmask fetch`"


def is_zip(head: bytes) -> bool:
    """Return whether a file that starts with `head` is a zip archive."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def is_tar(head: bytes) -> bool:
    """Return whether a file that starts with `head` is a tar archive."""
    return head[257:262] == b"ustar"


def unpacker(head: bytes) -> Unpacker | None:
    """Return what opens a file that starts with `head`, or None if it is not compressed."""
    return next((unpack for magic, unpack in _UNPACK.items() if head.startswith(magic)), None)


def zipped_document(names: Sequence[str]) -> str | None:
    """Return what a zip archive with these members is if it is a document, otherwise None."""
    if any(PurePosixPath(name).name == "data.pkl" for name in names):
        return "weights (a PyTorch checkpoint)"
    if "model.weights.h5" in names:
        return "weights (a Keras model)"
    if names and all(name.endswith(".npy") for name in names):
        return "NumPy arrays (.npz)"
    return next(
        (kind for start, kind in _DOCUMENTS.items() if any(n.startswith(start) for n in names)),
        None,
    )


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
    _refuse_formats(head, start, label, again)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UserError(f"{label}: text in UTF-16; save it as UTF-8, or {again}")
    if start.startswith(b"<"):
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


def _refuse_formats(head: bytes, start: bytes, label: str, again: str) -> None:
    """Raise UserError for a file of another kind; start: in lower case, without what is blank."""
    for magic, (kind, reader) in _BY_PANDAS.items():
        if head.startswith(magic):
            raise UserError(f"{label}: {kind}, not a CSV file; {_convert(label, reader)}")
    weights = _weights(head)
    if weights:
        raise UserError(f"{label}: weights ({weights}), not a CSV file; {again}")
    what = _format(head)
    if what:
        raise UserError(f"{label}: {what}, not a CSV file; save its table as CSV, or {again}")
    image = _image(head)
    if image:
        raise UserError(
            f"{label}: an image ({image}), not a CSV file; to read images, set data.source to the "
            "folder that holds train/CLASS/*.jpg and test/CLASS/*.jpg"
        )
    if re.match(rb'\{\s*["}]|\[\s*[]{["\dtfn-]', start):
        kind, more = ("JSON lines", ", lines=True") if _is_json_lines(start) else ("JSON", "")
        raise UserError(f"{label}: {kind}, not a CSV file; {_convert(label, 'read_json', more)}")


def _is_json_lines(start: bytes) -> bool:
    """Return whether JSON that starts like this is a value a line rather than one value."""
    line, end, _ = start.partition(b"\n")
    if not end:  # a long line; in JSON by columns, the first value is a list or mapping of rows
        return re.match(rb'\{\s*"[^"]*"\s*:\s*[^\s{[]', line) is not None
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _convert(label: str, reader: str, more: str = "") -> str:
    """Return what a message says about making a CSV file with pandas."""
    source, target = json.dumps(label), json.dumps(f"{label}.csv")
    code = f"import pandas; pandas.{reader}({source}{more}).to_csv({target}, index=False)"
    needs = "" if reader == "read_json" else "`pip install pyarrow` and "
    return f"convert it: {needs}`python -c {shlex.quote(code)}`"


def _format(head: bytes) -> str | None:
    """Return what kind of file starts with `head` if it is one of _FORMATS."""
    for magic, kind in _FORMATS.items():
        if head.startswith(magic):
            return kind
    if re.match(rb"c[\w.]+\n\w+\n", head):  # the name of a class, in the oldest protocol
        return "a pickle"
    # HDF5 may follow 512 bytes of something else.
    return _FORMATS[_HDF5] if head[512:].startswith(_HDF5) else None


def _weights(head: bytes) -> str | None:
    """Return what kind of file of weights starts with `head`, or None if it is none."""
    # An eight-byte length, and then so many bytes of JSON, at most 100 MB.
    if head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= 100_000_000:
        return "safetensors"
    # Protocol buffers: the first field is a small version, the second the name of the producer.
    if re.match(rb"\x08[\x03-\x20]\x12[\x01-\x40][A-Za-z]", head):
        return "ONNX"
    return next(
        (name for magic, name in _WEIGHTS.items() if magic in (head[:4], head[4:8])),
        None,
    )


def _image(head: bytes) -> str | None:
    """Return the format of an image that starts with `head`, or None if it is none."""
    if head[:2] == b"BM" and head[6:10] == bytes(4):
        return "BMP"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF:
        return "HEIF"
    return next((name for magic, name in _IMAGES.items() if head.startswith(magic)), None)

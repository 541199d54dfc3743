"""Folders of images with a file that is not an image, is too large, or cannot be read."""

import io
import os
import pickle
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from cases import Case, Content, put
from PIL import Image

from faces_csv import image
from unmask.core.faces import CLASSES

_REPLACE = "replace or remove it"
_NOT = f"not a readable image (...); {_REPLACE}"
_LARGE = "more than 25000000; scale it down or remove it"
_SPLITS = "train, training, val, valid, validation, publictest, test, testing, privatetest"
_BESIDE = "which would not be read beside the folders of images; move it elsewhere"
_NOT_UTF_8 = "a name that is not UTF-8, which DVC cannot record; rename it"


def fill(folder: Path) -> None:
    """Write one image of every split and class below `folder`/d."""
    for split in ("train", "validation", "test"):
        for name in CLASSES:
            path = folder / "d" / split / name / "0.png"
            path.parent.mkdir(parents=True)
            Image.fromarray(image(0)).save(path)


def _spoiled(name: str, spoil: Callable[[Path], object], message: str) -> Case:
    """A folder of images that `spoil`, which is given its path, breaks."""

    def make(folder: Path) -> None:
        fill(folder)
        spoil(folder / "d")

    return Case(f"images: {name}", make, message, source="d")


def _file(name: str, content: Content, file: str = "x.png", what: str = _NOT) -> Case:
    return _spoiled(
        name,
        lambda folder: put(content, file)(folder / "test" / "sad"),
        f"d/test/sad/{file}: {what}",
    )


def encoded(
    form: str, size: tuple[int, int] = (48, 48), mode: str = "L", **details: object
) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, form, **details)
    return buffer.getvalue()


def _resized(width: int, height: int) -> bytes:
    """A PNG of 48x48 pixels that claims another size."""
    content = bytearray(encoded("PNG"))
    content[16:24] = struct.pack(">II", width, height)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    return bytes(content)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def _with_chunk(chunk: bytes) -> bytes:
    """A PNG with one more chunk after its header."""
    content = encoded("PNG")
    return content[:33] + chunk + content[33:]


def _noise() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.tile(image(0), (4, 4))).save(buffer, "JPEG")
    return buffer.getvalue()


def _deep() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((48, 48), 30_000, dtype=np.uint16)).save(buffer, "PNG")
    return buffer.getvalue()


def _move(folder: Path, old: str, new: str) -> None:
    (folder / old).rename(folder / new)


def _empty(folder: Path) -> None:
    for name in CLASSES:
        (folder / "train" / name / "0.png").unlink()


def _link(folder: Path, target: str) -> None:
    (folder / "test" / "sad" / "x.png").symlink_to(target)


_PNG = encoded("PNG")


def _text_bomb() -> bytes:
    return _with_chunk(_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 27))))


FILES = [
    _file("an empty file", b""),
    _file("a text file", b"notes", "notes.txt"),
    _file("a web page named .jpg", b"<html></html>", "x.jpg"),
    _file("a PNG cut short", _PNG[:60]),
    _file("only the header of a PNG", _PNG[:33]),
    _file("a PNG with wrong bytes", _PNG[:45] + bytes(20) + _PNG[65:]),
    _file("a JPEG cut short", _noise()[:-2000], "x.jpg"),
    _file("a pickle", pickle.dumps([1]), "x.png"),
    _file("PostScript, which Pillow would hand to a program", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 48 48\n", "x.eps"),
    _file("SVG", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "x.svg"),
    _file("an icon, which is not supported", encoded("ICO", (48, 48), "RGBA"), "x.ico"),
    _file("16 bits per pixel", _deep(), what="pixels of the kind I;16; save it with 8 bits per channel"),
    _file("floating-point pixels", encoded("TIFF", mode="F"), "x.tif", "pixels of the kind F; save it with 8 bits per channel"),
    _spoiled("a file without read permission", lambda folder: (folder / "test" / "sad" / "0.png").chmod(0), f"d/test/sad/0.png: not a readable image (...Permission denied...); {_REPLACE}"),
    _spoiled("a link to a text file", lambda folder: _link(folder, "/etc/passwd"), f"d/test/sad/x.png: {_NOT}"),
    _spoiled("a link to nothing", lambda folder: _link(folder, "gone.png"), "d/test/sad/x.png: not a file; class folders may hold only images"),
    _spoiled("a link to a device", lambda folder: _link(folder, "/dev/zero"), "d/test/sad/x.png: not a file; class folders may hold only images"),
    _spoiled("a folder in a class folder", lambda folder: (folder / "test" / "sad" / "more").mkdir(), "d/test/sad/more: not a file; class folders may hold only images"),
    _spoiled("a name with control characters", lambda folder: (folder / "test" / "sad" / "a\n\x1b[2J.png").touch(), f"d/test/sad/a??[2J.png: {_NOT}"),
]  # fmt: skip

FOLDERS = [
    _spoiled("an unknown class", lambda folder: _move(folder, "train/sad", "train/bored"), "d/train/bored: unknown class folder; allowed are angry, disgust, fear..."),
    _spoiled("an unknown split", lambda folder: _move(folder, "validation", "extra"), f"d/extra: unknown split folder; allowed are {_SPLITS}"),
    _spoiled("a class twice", lambda folder: _move(folder, "train/sad", "train/anger"), "d/train/angry: the same class as anger; merge the two"),
    _spoiled("a split twice", lambda folder: (folder / "val").mkdir(), "d/validation: the same split as val; merge the two"),
    _spoiled("no train folder", lambda folder: _move(folder, "train", "val2"), f"d/val2: unknown split folder; allowed are {_SPLITS}"),
    _spoiled("no test folder", lambda folder: _move(folder, "test", ".test"), "d: no folder test; both train and test are needed"),
    _spoiled("no training images", _empty, "d: no faces in the train split; ..."),
    _spoiled("a class without training images", lambda folder: (folder / "train" / "sad" / "0.png").unlink(), "d: no training face of the class sad; use a source with all seven classes"),
    _spoiled("a CSV file next to them", lambda folder: (folder / "fer2013.csv").touch(), "d: several sources (fer2013.csv, a folder of images); set data.source to one"),
    _spoiled("a split twice in FER2013's words", lambda folder: (folder / "PrivateTest").mkdir(), "d/test: the same split as PrivateTest; merge the two"),
    _spoiled("a class twice as word and number", lambda folder: (folder / "test/3").mkdir(), "d/test/happy: the same class as 3; merge the two"),
    _spoiled("a class twice, once misspelt", lambda folder: (folder / "test/Suprise").mkdir(), "d/test/surprise: the same class as Suprise; merge the two"),
    _spoiled("a class number of another data set", lambda folder: _move(folder, "train/sad", "train/7"), "d/train/7: unknown class folder; allowed are ..."),
    _spoiled("a number in front of a class", lambda folder: _move(folder, "train/sad", "train/4_sad"), "d/train/4_sad: unknown class folder; allowed are ..."),
    _spoiled("validation instead of test", lambda folder: _move(folder, "test", "PublicTest"), "d/validation: the same split as PublicTest; merge the two"),
    _spoiled("an image outside the class folders", lambda folder: put(_PNG, "0.png")(folder / "train"), f"d/train: holds 0.png, {_BESIDE}"),
    _spoiled("an image outside the split folders", lambda folder: put(_PNG, "0.png")(folder), f"d: holds 0.png, {_BESIDE}"),
    _spoiled("a pair of CSV files next to them", lambda folder: (put("x", "train.csv")(folder), put("x", "test.csv")(folder)), f"d: holds test.csv, train.csv, {_BESIDE}"),
    _spoiled("a table of labels in a split", lambda folder: put("x", "labels.csv")(folder / "test"), f"d/test: holds labels.csv, {_BESIDE}"),
    _spoiled("only the DVC pointer of a class", lambda folder: put("x", "more.dvc")(folder / "train"), f"d/train: holds more.dvc, {_BESIDE}"),
    _spoiled("a name that is not UTF-8", lambda folder: put(_PNG, os.fsdecode(b"caf\xe9.png"))(folder / "test/sad"), f"d/test/sad/caf?.png: {_NOT_UTF_8}"),
    _spoiled("a leftover whose name is not UTF-8", lambda folder: put(b"x", os.fsdecode(b"._\xff.png"))(folder / "test/sad"), f"d/test/sad/._?.png: {_NOT_UTF_8}"),
    _spoiled("a folder whose name is not UTF-8", lambda folder: (folder / os.fsdecode(b"\x80")).mkdir(), f"d/?: {_NOT_UTF_8}"),
]  # fmt: skip

EVIL = [
    _file("a PNG that claims 40,000x40,000 pixels", _resized(40_000, 40_000)),
    _file("a PNG that claims 2,000,000,000 rows", _resized(1, 2_000_000_000)),
    _file("a PNG bomb of 100 million pixels", lambda: encoded("PNG", (10_000, 10_000), "1"), what=f"10000x10000 pixels are {_LARGE}"),
    _file("a PNG bomb in its text", _text_bomb),
    _file("a JPEG of 60 million pixels", lambda: encoded("JPEG", (60_000, 1000)), "x.jpg", f"60000x1000 pixels are {_LARGE}"),
    _file("a GIF bomb", lambda: encoded("GIF", (60_000, 2000)), "x.gif", f"60000x2000 pixels are {_LARGE}"),
    _file("a BMP that claims more than it holds", encoded("BMP")[:18] + struct.pack("<ii", 9000, 9000) + encoded("BMP")[26:], "x.bmp", f"9000x9000 pixels are {_LARGE}"),
    _file("a PPM that claims a square of a million", b"P5 1000000 1000000 255\n" + bytes(9), "x.pgm"),
    _file("a TIFF bomb", lambda: encoded("TIFF", (8000, 8000), compression="tiff_deflate"), "x.tif", f"8000x8000 pixels are {_LARGE}"),
    _file("a WebP bomb", lambda: encoded("WEBP", (16_000, 4000), "RGB", method=0), "x.webp", f"16000x4000 pixels are {_LARGE}"),
]  # fmt: skip

CASES = FILES + FOLDERS + EVIL

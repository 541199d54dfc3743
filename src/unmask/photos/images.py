"""Photos on disk: which ones are meant, and reading one."""

import glob
import os
import re
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from unmask.core.errors import UserError
from unmask.sources.text import data_names, listed, shown

Photo = str | Path | Image.Image | NDArray[np.uint8]
"""A file, a PIL image of any mode, or pixels, uint8 [H,W] or [H,W,3] (red, green, blue)."""

SUFFIXES = {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".bmp", ".gif", ".tif", ".tiff"
}  # fmt: skip
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
_KINDS = "JPEG, PNG, WebP, BMP, GIF or TIFF"
# Pillow clips 16-bit and floating-point greys at 255 when it converts them.
_MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"}
_MAX_PIXELS = 100_000_000
_MADE = (".annotated.jpg", ".completed.png")  # what `unmask predict` saves for people to look at


class Source(NamedTuple):
    """A photo. name: that of what is made of it, a path relative to a folder of the user's."""

    path: Path
    name: str


def expand(words: Sequence[str], lines: Iterable[str] = ()) -> tuple[list[Source], list[str]]:
    """Return the photos that the words of a command line mean, in order, and what is wrong.

    words: files, folders with all that is below, patterns that the shell left alone, and `-` for
    `lines`, one file or folder each. A photo that is meant more than once is returned once.
    """
    found: dict[tuple[str, str], Source] = {}
    problems: dict[str, None] = {}
    real = cache(os.path.realpath)
    for word in words:
        for one in _listed(lines) if word == "-" else _meant(word):
            if isinstance(one, UserError):
                problems[str(one)] = None
            else:
                found.setdefault((real(one.path.parent), one.path.name), one)
    return [*found.values()], [*problems]


def share(sources: Sequence[Source], number: int, count: int) -> list[Source]:
    """Return share `number`, from 1, of `count`.

    A photo's name says which share it is in, so that photos which come and go while the shares are
    worked on at different times neither move others nor are taken twice.
    """
    return [s for s in sources if zlib.crc32(os.fsencode(s.name)) % count == number - 1]


def refuse_same_names(sources: Sequence[Source]) -> None:
    """Raise UserError if what is made of two photos would have the same name."""
    name, times = Counter(source.name for source in sources).most_common(1)[0]
    if times > 1:
        both = listed([source.path for source in sources if source.name == name][:2])
        raise UserError(
            f"{both}: what is saved of them would have the same name; give the folder they are in"
        )


def _listed(lines: Iterable[str]) -> Iterator[Source | UserError]:
    names = [name for line in lines if (name := line.rstrip("\r\n"))]
    if not names:
        yield UserError("standard input: lists no photo; check what writes the list")
    for name in names:
        yield from _meant(name)


def _meant(word: str) -> Iterator[Source | UserError]:
    """Yield the photos that a word means, and what is wrong."""
    if not re.search(r"[*?\[]", word) or os.path.lexists(word):
        yield from _at(word)
        return
    matches = sorted(glob.glob(word, recursive=True))  # noqa: PTH207, may be absolute
    if not matches:
        yield UserError(f"{shown(word)}: nothing matches; check the pattern")
    for match in matches:
        yield from _at(match)


def _at(name: str) -> Iterator[Source | UserError]:
    path = Path(name)
    try:
        if not name or not path.exists():  # Path("") is the working folder
            yield UserError(f"{shown(name)}: no such file or folder; check the name")
        elif path.is_dir():
            yield from _in_folder(path)
        else:
            yield Source(path, path.name)
    except OSError as error:
        yield _unreadable(name, error)


def _in_folder(folder: Path) -> Iterator[Source | UserError]:
    errors: list[OSError] = []
    names = sorted(os.path.relpath(file, folder) for file in _below(folder, errors.append))
    photos = [
        name
        for name in data_names(names)
        if Path(name).suffix.lower() in SUFFIXES and not name.endswith(_MADE)
    ]
    for error in errors:
        yield _unreadable(error.filename, error)
    if not photos and not errors:
        others = f", only {listed(names)}" if names else ""
        yield UserError(f"{shown(folder)}: no photos in this folder{others}; they are {_KINDS}")
    for name in photos:
        yield Source(folder / name, name)


def _below(folder: Path, onerror: Callable[[OSError], object]) -> Iterator[str]:
    """Yield the files below a folder, but those in folders that are leftovers.

    Links to folders are followed in the end, and no folder is looked into twice.
    """
    seen, waiting = set(), [str(folder)]
    for start in waiting:
        for place, folders, files in os.walk(start, onerror=onerror):
            if (real := os.path.realpath(place)) in seen:
                folders.clear()
                continue
            seen.add(real)
            folders[:] = sorted(data_names(folders))
            inner = [os.path.join(place, name) for name in folders]  # noqa: PTH118, Path is slow
            waiting += filter(os.path.islink, inner)
            yield from (os.path.join(place, name) for name in files)  # noqa: PTH118


def _unreadable(name: str, error: OSError) -> UserError:
    what = (error.strerror or str(error)).lower()
    return UserError(f"{shown(name)}: {what}; check the name and its permissions")


def read_photo(photo: Photo) -> Image.Image:
    """Return a photo in RGB, turned upright as its EXIF data say.

    Raises UserError for what is not a picture, is damaged, or has more than 100 million pixels.
    """
    if isinstance(photo, np.ndarray):
        return _from_pixels(photo)
    name = "a picture" if isinstance(photo, Image.Image) else shown(photo)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # large pictures are refused here, oddities harmless
            if isinstance(photo, Image.Image):  # Pillow may not have read its pixels yet
                return _upright(photo, name)
            with Image.open(photo, formats=_FORMATS) as image:
                return _upright(image, name)
    except UserError:
        raise
    except FileNotFoundError:
        raise UserError(f"{name}: no such file; check the name") from None
    except PermissionError:
        raise UserError(f"{name}: may not be read; change its permissions") from None
    except UnidentifiedImageError:
        raise UserError(f"{name}: not a picture that can be read; save it as {_KINDS}") from None
    except Image.DecompressionBombError:
        raise UserError(f"{name}: {_too_large()}") from None
    except Exception as error:  # Pillow's readers raise almost anything for a damaged file
        what = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{name}: damaged ({what}); replace or remove it") from None


def _upright(image: Image.Image, name: str) -> Image.Image:
    width, height = image.size
    if width * height > _MAX_PIXELS:
        raise UserError(f"{name}: {width}x{height} pixels; {_too_large()}")
    if image.mode not in _MODES:
        raise UserError(
            f"{name}: pixels of the kind {image.mode}; save it in RGB or grey, 8 bits per channel"
        )
    turned: Image.Image = ImageOps.exif_transpose(image)
    return turned.convert("RGB")


def _too_large() -> str:
    return f"more than {_MAX_PIXELS:,} pixels are not read; scale it down"


def _from_pixels(pixels: NDArray[Any]) -> Image.Image:
    fits = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
    if pixels.dtype != np.uint8 or not fits or 0 in pixels.shape:
        raise UserError(
            f"pixels {pixels.dtype} {list(pixels.shape)}: give uint8 [H,W] or [H,W,3], 0 to 255"
        )
    return Image.fromarray(pixels).convert("RGB")

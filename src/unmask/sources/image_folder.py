"""A folder of images: `train/happy/*.jpg`, `test/...` and optionally `validation/...`.

Images of any size, colour or grey, become 48x48 grey: rotated as their EXIF data say, converted
with Pillow's luma weights and scaled with antialiasing. Hidden files and the leftovers of file
browsers are skipped; anything else that is not an image is refused.
"""

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from unmask.core.errors import UserError
from unmask.core.faces import CLASSES, SIZE, TEST, TRAIN, VALIDATION, FaceBlock
from unmask.params.data import Data
from unmask.sources.columns import drawn_split
from unmask.sources.text import shown

_SPLITS = {
    "train": TRAIN,
    "validation": VALIDATION,
    "val": VALIDATION,
    "valid": VALIDATION,
    "test": TEST,
}
_CLASSES = {name: label for label, name in enumerate(CLASSES)} | {
    "anger": CLASSES.index("angry"),
    "disgusted": CLASSES.index("disgust"),
    "fearful": CLASSES.index("fear"),
    "happiness": CLASSES.index("happy"),
    "sadness": CLASSES.index("sad"),
    "surprised": CLASSES.index("surprise"),
}
_LEFTOVERS = {"thumbs.db", "desktop.ini"}

# Pillow's other readers are for odd formats, some of which run external programs.
_FORMATS = ("JPEG", "PNG", "BMP", "GIF", "PPM", "TIFF", "WEBP")
# Pillow clips 16-bit and floating-point greys at 255 when it converts them.
_MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"}
_MAX_PIXELS = 25_000_000
_BLOCK = 512


class Picture(NamedTuple):
    """One image file; label: index into CLASSES; split: index into SPLITS."""

    path: Path
    label: int
    split: int


def is_layout(folder: Path) -> bool:
    """Return whether `folder` holds a folder `train` or `test`, as a folder of images does."""
    return any(path.name.lower() in ("train", "test") for path in _folders(folder))


def pictures(folder: Path) -> list[Picture]:
    """Return the images of train, validation and test, each sorted by class folder and file name.

    Raises UserError for a folder that is neither a split nor a class, or two that are the same one.
    """
    found: list[Picture] = []
    splits = _named(folder, _SPLITS, "split")
    for split in sorted(splits):
        classes = _named(splits[split], _CLASSES, "class")
        for label in sorted(classes, key=lambda label: classes[label].name):
            files = _files(classes[label])
            found.extend(Picture(path, label, split) for path in files)
    for name in ("train", "test"):
        if _SPLITS[name] not in splits:
            raise UserError(f"{shown(folder)}: no folder {name}; both train and test are needed")
    return found


def read(found: Sequence[Picture], data: Data) -> Iterator[FaceBlock]:
    """Yield the faces of `found`; `row` is the index in it.

    If there are no validation images, some of the training images are drawn for validation. Raises
    UserError for a file that is not a readable image.
    """
    is_drawn = all(picture.split != VALIDATION for picture in found)
    for start in range(0, len(found), _BLOCK):
        block = found[start : start + _BLOCK]
        row = np.arange(start, start + len(block), dtype=np.int64)
        split = np.array([picture.split for picture in block], dtype=np.uint8)
        if is_drawn:
            split = np.where(split == TRAIN, drawn_split(row, data), split)
        labels = np.array([picture.label for picture in block], dtype=np.uint8)
        yield FaceBlock(_images([picture.path for picture in block]), labels, split, row)


def _folders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _named(folder: Path, numbers: dict[str, int], kind: str) -> dict[int, Path]:
    """Return the folders in `folder` by the numbers that `numbers` gives to their names."""
    found: dict[int, Path] = {}
    for path in _folders(folder):
        number = numbers.get(path.name.lower())
        if number is None:
            raise UserError(
                f"{shown(path)}: unknown {kind} folder; allowed are {', '.join(numbers)}"
            )
        if number in found:
            raise UserError(
                f"{shown(path)}: the same {kind} as {shown(found[number].name)}; merge the two"
            )
        found[number] = path
    return found


def _files(folder: Path) -> list[Path]:
    paths = sorted(
        path
        for path in folder.iterdir()
        if not path.name.startswith(".") and path.name.lower() not in _LEFTOVERS
    )
    for path in paths:
        if not path.is_file():
            raise UserError(f"{shown(path)}: not a file; class folders may hold only images")
    return paths


def _images(paths: Sequence[Path]) -> NDArray[np.uint8]:
    images = np.empty((len(paths), SIZE, SIZE), dtype=np.uint8)
    with warnings.catch_warnings():
        # Pillow warns about large images, which are refused below, and about harmless oddities.
        warnings.simplefilter("ignore")
        for index, path in enumerate(paths):
            images[index] = _image(path)
    return images


def _image(path: Path) -> NDArray[np.uint8]:
    """Return one image as uint8 [48,48]."""
    try:
        with Image.open(path, formats=_FORMATS) as image:
            _refuse_unfit(image, path)
            upright = ImageOps.exif_transpose(image).convert("L")
    except UserError:
        raise
    except Exception as error:  # Pillow's readers raise almost anything for a damaged file
        what = " ".join(str(error).split()) or type(error).__name__
        raise UserError(
            f"{shown(path)}: not a readable image ({what}); replace or remove it"
        ) from None
    if upright.size != (SIZE, SIZE):
        upright = upright.resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    return np.asarray(upright)


def _refuse_unfit(image: Image.Image, path: Path) -> None:
    """Raise UserError, before anything is decoded, if an image cannot become a face."""
    width, height = image.size
    if width * height > _MAX_PIXELS:
        raise UserError(
            f"{shown(path)}: {width}x{height} pixels are more than {_MAX_PIXELS}; "
            "scale it down or remove it"
        )
    if image.mode not in _MODES:
        raise UserError(
            f"{shown(path)}: pixels of the kind {image.mode}; save it with 8 bits per channel"
        )

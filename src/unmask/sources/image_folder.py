"""A folder of images: `train/happy/*.jpg`, `test/...` and optionally `validation/...`.

Images of any size, colour or grey, become 48x48 grey: rotated as their EXIF data say, converted
with Pillow's luma weights and scaled with antialiasing, which squeezes one that is not square to a
square. Folders may have FER2013's own words and numbers (`Training/3`, see `columns`). Hidden files
and other leftovers are skipped; anything else that is not an image of a class is refused.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from unmask.core.errors import UserError
from unmask.core.faces import SIZE, TEST, TRAIN, VALIDATION, FaceBlock
from unmask.params.data import Data
from unmask.sources.columns import CLASS_NAMES, SPLIT_NAMES, drawn_split, split_named
from unmask.sources.text import data_names, refuse_unread, shown

# Pillow's other readers are for odd formats, some of which run external programs.
_FORMATS = ("JPEG", "PNG", "BMP", "GIF", "PPM", "TIFF", "WEBP")
# Pillow clips 16-bit and floating-point greys at 255 when it converts them.
_MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"}
_MAX_PIXELS = 25_000_000
_BLOCK = 512


class Picture(NamedTuple):
    """One image file; name: its path in the source; label, split: index into CLASSES, SPLITS."""

    path: Path
    name: str
    label: int
    split: int


def is_layout(folder: Path) -> bool:
    """Return whether `folder` holds a folder `train` or `test`, as a folder of images does."""
    return any(split_named(path.name) in (TRAIN, TEST) for path in _entries(folder)[0])


def pictures(folder: Path) -> tuple[list[Picture], set[int]]:
    """Return the images of train, validation and test, and the splits that have a folder.

    The images of a split are sorted by class folder and file name. A folder may hold none.

    Raises UserError for a folder that is neither a split nor a class, for two that are the same
    one, and for files outside the class folders.
    """
    found: list[Picture] = []
    splits = _named(folder, split_named, "split", SPLIT_NAMES)
    for split in sorted(splits):
        classes = _named(splits[split], _class_named, "class", CLASS_NAMES)
        for label in sorted(classes, key=lambda label: classes[label].name):
            for path in _files(classes[label]):
                found.append(Picture(path, path.relative_to(folder).as_posix(), label, split))
    for name in ("train", "test"):
        if split_named(name) not in splits:
            raise UserError(f"{shown(folder)}: no folder {name}; both train and test are needed")
    return found, set(splits)


def read(found: Sequence[Picture], splits: set[int], data: Data) -> Iterator[FaceBlock]:
    """Yield the faces of `found`; `row` is the index in it.

    If validation is not among `splits`, those that have a folder, some of the training images are
    drawn for it. Raises UserError for a file that is not a readable image.
    """
    is_drawn = VALIDATION not in splits
    for start in range(0, len(found), _BLOCK):
        block = found[start : start + _BLOCK]
        row = np.arange(start, start + len(block), dtype=np.int64)
        split = np.array([picture.split for picture in block], dtype=np.uint8)
        if is_drawn:
            split = np.where(split == TRAIN, drawn_split(row, data), split)
        labels = np.array([picture.label for picture in block], dtype=np.uint8)
        images = _images([picture.path for picture in block])
        names = [picture.name for picture in block]
        yield FaceBlock(images, labels, split, row, names=names)


def _entries(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the folders in `folder` and everything else in it but leftovers, both sorted."""
    found = [folder / name for name in data_names(sorted(path.name for path in folder.iterdir()))]
    folders = [path for path in found if path.is_dir()]
    return folders, [path for path in found if not path.is_dir()]


def _class_named(name: str) -> int | None:
    return CLASS_NAMES.get(name.lower())


def _named(
    folder: Path, number_of: Callable[[str], int | None], kind: str, allowed: Iterable[str]
) -> dict[int, Path]:
    """Return the folders in `folder` by the numbers that `number_of` gives to their names."""
    found: dict[int, Path] = {}
    folders, others = _entries(folder)
    for path in folders:
        number = number_of(path.name)
        if number is None:
            raise UserError(
                f"{shown(path)}: unknown {kind} folder; allowed are {', '.join(allowed)}"
            )
        if number in found:
            raise UserError(
                f"{shown(path)}: the same {kind} as {shown(found[number].name)}; merge the two"
            )
        found[number] = path
    refuse_unread([path.name for path in others], folder, (), "move it elsewhere")
    return found


def _files(folder: Path) -> list[Path]:
    paths = [folder / name for name in data_names(sorted(path.name for path in folder.iterdir()))]
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
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":  # in which cameras keep a preview beside the photo
        raise UserError(
            f"{shown(path)}: {frames} pictures in one file; save each face as a file of its own"
        )
    if image.mode not in _MODES:
        raise UserError(
            f"{shown(path)}: pixels of the kind {image.mode}; save it with 8 bits per channel"
        )

"""Finding out which form a source has."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePath
from typing import NamedTuple

from unmask.core.errors import UserError
from unmask.core.faces import FaceBlock
from unmask.params.data import Data
from unmask.sources import archive, fer2013_csv, image_folder
from unmask.sources.text import Table, listed, shown

_SUFFIXES = {".csv", ".gz", ".xz", ".bz2", ".zip", ".tar", ".tgz", ".txz"}
_WHOLE = [PurePath(name).stem for name in archive.NAMES]
_PAIR = [PurePath(name).stem for name in archive.PAIR]


class Found(NamedTuple):
    """A source of a known form.

    files: those that are read; read: yields the faces in the order of the source, with a validation
    split drawn as the parameters say if the source has none.
    """

    files: list[Path]
    read: Callable[[Data], Iterator[FaceBlock]]


def read(source: Path, data: Data) -> Iterator[FaceBlock]:
    """Yield the faces of `source`; see `find`."""
    return find(source).read(data)


def find(source: Path) -> Found:
    """Return the form of `source` and how to read it.

    source: a CSV file, plain, compressed or in an archive (see `archive`), or a folder that holds
    one, or the pair `train.csv` and `test.csv`, or images (see `image_folder`).
    Raises UserError if there is nothing, no known form, or more than one.
    """
    if source.is_file():
        if source.suffix.lower() == ".dvc":
            raise UserError(
                f"{shown(source)}: a DVC pointer, not the data; run `dvc pull` and set data.source "
                f"to {shown(source.with_suffix(''))}"
            )
        return _found([source])
    if source.is_dir():
        return _find_in_folder(source)
    if source.exists():
        raise UserError(f"{shown(source)}: neither a file nor a folder; set data.source to one")
    if source.name and source.with_name(f"{source.name}.dvc").is_file():
        raise UserError(f"{shown(source)}: only its DVC pointer is here; run `dvc pull`")
    raise UserError(
        f"{shown(source)}: no such file or folder; set data.source, or get it with `unmask-fetch`"
    )


def _find_in_folder(folder: Path) -> Found:
    files = sorted(path for path in folder.iterdir() if path.is_file())
    whole = [path for path in files if _stem(path) in _WHOLE]
    has_images = image_folder.is_layout(folder)
    if len(whole) + has_images > 1:
        names = listed([path.name for path in whole] + ["a folder of images"] * has_images)
        raise UserError(f"{shown(folder)}: several sources ({names}); set data.source to one")
    if has_images:
        pictures = image_folder.pictures(folder)
        paths = [picture.path for picture in pictures]
        return Found(paths, partial(image_folder.read, pictures))
    if whole:
        return _found(whole)
    pair = [[path for path in files if _stem(path) == stem] for stem in _PAIR]
    if all(len(found) == 1 for found in pair):
        return _found([path for found in pair for path in found])
    names = listed(sorted(path.name for path in folder.iterdir())) or "nothing"
    raise UserError(
        f"{shown(folder)}: no known layout in this folder (it holds {names}); it needs "
        "fer2013.csv, icml_face_data.csv, train.csv and test.csv, or images as train/CLASS/*.jpg "
        "and test/CLASS/*.jpg"
    )


def _found(files: list[Path]) -> Found:
    """Return the source made of one file with all splits, or of a pair of files."""
    tables = [table for file in files for table in _tables(file, alone=len(files) == 1)]
    if len(tables) == 1:
        return Found(files, lambda data: fer2013_csv.read(tables[0]))
    return Found(files, lambda data: fer2013_csv.read_pair(tables[0], tables[1], data))


def _stem(path: Path) -> str:
    """Return the lower-case name without suffixes of tables and archives; "" if it has none."""
    name = path.name.lower()
    stem = name
    while PurePath(stem).suffix in _SUFFIXES:
        stem = PurePath(stem).stem
    return stem if stem != name else ""


def _tables(file: Path, *, alone: bool) -> list[Table]:
    found = archive.tables(file)
    if not alone and len(found) != 1:
        raise UserError(f"{shown(file)}: two CSV files in one of a pair; name this file itself")
    return found

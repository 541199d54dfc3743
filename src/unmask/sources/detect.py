"""Finding out which form a source has."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from unmask.core.errors import UserError
from unmask.core.faces import FaceBlock
from unmask.params.data import Data
from unmask.sources import archive, fer2013_csv, image_folder
from unmask.sources.archive import CsvFile
from unmask.sources.columns import by_split, is_complete
from unmask.sources.text import (
    data_names,
    listed,
    refuse_unread,
    refuse_unrecordable,
    shown,
    stem,
)


class Found(NamedTuple):
    """A source of a known form.

    files: those that are read; read: yields the faces in the order of the source, with a validation
    split drawn as the parameters say if the source has none.
    """

    files: list[Path]
    read: Callable[[Data], Iterator[FaceBlock]]


def find(source: Path) -> Found:
    """Return the form of `source` and how to read it.

    source: a CSV file, plain, compressed or in an archive (see `archive`), or a folder that holds
    one, or `train.csv`, `test.csv` and perhaps `val.csv`, or images (see `image_folder`).
    Raises UserError if there is nothing, no known form, or more than one, for a name that DVC
    cannot record, and for files that would be left out.
    """
    refuse_unrecordable(source)
    if source.is_file():
        if source.suffix.lower() == ".dvc":
            raise UserError(
                f"{shown(source)}: a DVC pointer, not the data; run `dvc pull` and set data.source "
                f"to {shown(source.with_suffix(''))}"
            )
        return _found([source], archive.csv_files(source))
    if source.is_dir():
        return _find_in_folder(source)
    if source.exists():
        raise UserError(f"{shown(source)}: neither a file nor a folder; set data.source to one")
    if source.name and source.with_name(f"{source.name}.dvc").is_file():
        raise UserError(f"{shown(source)}: only its DVC pointer is here; run `dvc pull`")
    raise UserError(
        f"{shown(source)}: no such file or folder; set data.source, or get it with `unmask fetch`"
    )


def _find_in_folder(folder: Path) -> Found:
    names = data_names(sorted(path.name for path in folder.iterdir()))
    files = [name for name in names if (folder / name).is_file()]
    whole = [name for name in files if stem(name) in archive.WHOLE]
    has_images = image_folder.is_layout(folder)
    if len(whole) + has_images > 1:
        several = listed(whole + ["a folder of images"] * has_images)
        raise UserError(f"{shown(folder)}: several sources ({several}); set data.source to one")
    if has_images:
        pictures, splits = image_folder.pictures(folder)
        paths = [picture.path for picture in pictures]
        return Found(paths, partial(image_folder.read, pictures, splits))
    if whole:
        file = folder / whole[0]
        refuse_unread(names, folder, whole, f"set data.source to {shown(file)}")
        return _found([file], archive.csv_files(file))
    return _find_splits(folder, names, files)


def _find_splits(folder: Path, names: list[str], files: list[str]) -> Found:
    splits = by_split(files)
    if is_complete(splits):
        chosen = [name for (name,) in splits.values()]
        refuse_unread(names, folder, chosen, "move it elsewhere; validation faces are val.csv")
        parts = [_only_csv(folder / name)._replace(split=s) for s, (name,) in splits.items()]
        return _found([folder / name for name in chosen], parts)
    for same in splits.values():
        if len(same) > 1:
            raise UserError(f"{shown(folder)}: {listed(same)} are the same split; keep one of them")
    raise UserError(
        f"{shown(folder)}: no known layout in this folder (it holds {listed(names) or 'nothing'}); "
        "it needs fer2013.csv, icml_face_data.csv, train.csv and test.csv, or images as "
        "train/CLASS/*.jpg and test/CLASS/*.jpg"
    )


def _only_csv(file: Path) -> CsvFile:
    found = archive.csv_files(file)
    if len(found) != 1:
        raise UserError(
            f"{shown(file)}: several CSV files in that of one split; name this file itself"
        )
    return found[0]


def _found(files: list[Path], parts: list[CsvFile]) -> Found:
    """Return the source made of one file with all splits, or of one for each split."""
    if len(parts) == 1:
        return Found(files, lambda data: fer2013_csv.read(parts[0]))
    return Found(files, partial(fer2013_csv.read_splits, parts))

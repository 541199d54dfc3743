"""How FER2013, FER+ and their copies name columns, splits and classes; and the drawn split."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unmask.core.errors import UserError
from unmask.core.faces import CLASSES, TEST, TRAIN, VALIDATION
from unmask.core.randomness import uniform
from unmask.params.data import Data
from unmask.sources.text import quoted, stem

LABELS = {str(label).encode(): label for label in range(len(CLASSES))}
"""Labels by the text in the column emotion."""

SPLIT_OF = {b"Training": TRAIN, b"PublicTest": VALIDATION, b"PrivateTest": TEST}
"""Splits by the text in the column Usage."""

SPLIT_NAMES = {
    "train": TRAIN,
    "training": TRAIN,
    "val": VALIDATION,
    "valid": VALIDATION,
    "validation": VALIDATION,
    "publictest": VALIDATION,
    "test": TEST,
    "testing": TEST,
    "privatetest": TEST,
}
"""Splits by the names of files and folders; see `split_named`."""

CLASS_NAMES = {name: label for label, name in enumerate(CLASSES)} | {
    "anger": CLASSES.index("angry"),
    "disgusted": CLASSES.index("disgust"),
    "digust": CLASSES.index("disgust"),
    "fearful": CLASSES.index("fear"),
    "happiness": CLASSES.index("happy"),
    "sadness": CLASSES.index("sad"),
    "surprised": CLASSES.index("surprise"),
    "suprise": CLASSES.index("surprise"),
    "suprised": CLASSES.index("surprise"),
    "natural": CLASSES.index("neutral"),  # in many a list of the seven
    **{str(label): label for label in range(len(CLASSES))},
}
"""Labels by the names of folders: words, common misspellings and FER2013's numbers."""

EMOTIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
"""FER+'s columns of votes for CLASSES, in the same order."""

OTHERS = ("contempt", "unknown", "NF")
"""FER+'s other columns of votes; NF means not a face."""

COLUMNS = ("Usage", "Image name", "neutral", "happiness", "surprise", "sadness", "anger",
           "disgust", "fear", *OTHERS)  # fmt: skip
"""All columns of FER+, in the order of the file."""

_REQUIRED = (b"emotion", b"pixels")
_USAGE = b"usage"
_NAMES = {
    *(b"imagename", b"image", b"imageid", b"imagefile", b"imagefilename", b"imagepath"),
    *(b"filename", b"file", b"filepath", b"path", b"name"),
}
"""What a column of names of faces may be called: FER+ says Image name; see `_is_name`."""

_ROWS = {b"row", b"index"}
"""What a column may be called that says which row of fer2013.csv a face was, from 0."""


class Columns(NamedTuple):
    """The number of fields in a row and the index of each, None for one that there is not.

    name: what identifies a face, as a file name does; names_are_rows: whether it is its row in
    fer2013.csv.
    """

    fields: int
    emotion: int
    pixels: int
    usage: int | None
    name: int | None
    names_are_rows: bool


def bare(name: str) -> str:
    """Return a name in lower case, without the separators "_", "-" and " "."""
    return name.lower().translate(str.maketrans("", "", "_- "))


def split_named(name: str) -> int | None:
    """Return the split that the name of a folder, or of a file without suffix, means, or None.

    Case, the separators "_", "-" and " ", and "fer2013" in front do not matter.
    """
    return SPLIT_NAMES.get(bare(name).removeprefix("fer2013"))


def by_split(names: Sequence[str]) -> dict[int, list[str]]:
    """Return those of `names`, of tables, that mean a split, by split and in its order."""
    found: dict[int, list[str]] = {}
    for name in names:
        split = split_named(stem(name))
        if split is not None:
            found.setdefault(split, []).append(name)
    return dict(sorted(found.items()))


def is_complete(found: dict[int, list[str]]) -> bool:
    """Return whether there is one file for train, one for test, and at most one for validation."""
    return {TRAIN, TEST} <= found.keys() and all(len(names) == 1 for names in found.values())


def locate(names: Sequence[bytes], where: str, *, has_split: bool) -> Columns:
    """Return the columns of a header whose fields are `names`, in any case and order.

    where: file and line for messages; has_split: whether the name of the file says which split it
    is, as that of `train.csv` does, so that it has no column Usage. Raises UserError for any other
    header.
    """
    known = [name.lower() for name in names]
    _refuse_related_files(known, where)
    named = [index for index, name in enumerate(known) if _is_name(name)]
    for index, name in enumerate(known):
        if name not in (*_REQUIRED, _USAGE) and index not in named:
            raise UserError(
                f"{where}: unknown column {quoted(names[index])}; the columns must be emotion, "
                "pixels, Usage and perhaps Image name: remove any others, or get the file again if "
                "it has no header"
            )
        if name in known[:index]:
            raise UserError(f"{where}: column {quoted(names[index])} twice; remove one of them")
    if len(named) > 1:
        both = " and ".join(quoted(names[index]) for index in named[:2])
        raise UserError(f"{where}: columns {both} both name faces; remove one of them")
    for name in _REQUIRED:
        if name not in known:
            raise UserError(f"{where}: no column {name.decode()}; get the file again")
    has_usage = _USAGE in known
    if not has_usage and not has_split:
        raise UserError(
            f"{where}: no column Usage, which names the split; for the pair train.csv and test.csv "
            "set data.source to the folder that holds both"
        )
    if has_usage and has_split:
        raise UserError(
            f"{where}: column Usage in a file of one split; name this file itself as the source"
        )
    return Columns(
        fields=len(known),
        emotion=known.index(b"emotion"),
        pixels=known.index(b"pixels"),
        usage=known.index(_USAGE) if has_usage else None,
        name=named[0] if named else None,
        names_are_rows=bool(named) and known[named[0]] in _ROWS,
    )


def drawn_split(row: NDArray[np.int64], data: Data) -> NDArray[np.uint8]:
    """Return the split, uint8 [B], of training faces with these rows, int64 [B].

    A face goes to validation with the probability `data.validation_fraction`, drawn from
    (data.seed, its row) alone: neighbours and block size do not matter.
    """
    drawn = uniform(data.seed, row) < data.validation_fraction
    return np.where(drawn, VALIDATION, TRAIN).astype(np.uint8)


def _is_name(column: bytes) -> bool:
    """Return whether a column, in lower case, names faces; "_", "-" and " " do not matter."""
    return column in _ROWS or column.translate(None, b"_- ") in _NAMES


def _refuse_related_files(known: list[bytes], where: str) -> None:
    """Raise UserError for the headers of files that accompany the right one or derive from it."""
    if {b"image name", b"neutral"} <= {*known} and b"pixels" not in known:
        raise UserError(
            f"{where}: the votes of FER+, which hold no pixels; set data.source to fer2013.csv"
        )
    if known == [b"pixels"]:
        raise UserError(
            f"{where}: pixels without labels; take icml_face_data.csv or fer2013.csv from the same "
            "competition, which hold all labels"
        )
    if len(known) == 1 and all(name in known[0] for name in _REQUIRED):
        raise UserError(
            f"{where}: no commas between the columns; save the file with commas as separators"
        )

"""Columns of the FER2013 and FER+ files, and the split drawn for faces that come without one."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unmask.core.errors import UserError
from unmask.core.faces import CLASSES, TEST, TRAIN, VALIDATION
from unmask.params.data import Data
from unmask.randomness import uniform
from unmask.sources.text import quoted

LABELS = {str(label).encode(): label for label in range(len(CLASSES))}
"""Labels by the text in the column emotion."""

SPLIT_OF = {b"Training": TRAIN, b"PublicTest": VALIDATION, b"PrivateTest": TEST}
"""Splits by the text in the column Usage."""

EMOTIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
"""FER+'s columns of votes for CLASSES, in the same order."""

OTHERS = ("contempt", "unknown", "NF")
"""FER+'s other columns of votes; NF means not a face."""

COLUMNS = ("Usage", "Image name", "neutral", "happiness", "surprise", "sadness", "anger",
           "disgust", "fear", *OTHERS)  # fmt: skip
"""All columns of FER+, in the order of the file."""

_REQUIRED = (b"emotion", b"pixels")
_USAGE = b"usage"


class Columns(NamedTuple):
    """The number of fields in a row and the index of each; `usage` is None in a file of a pair."""

    fields: int
    emotion: int
    pixels: int
    usage: int | None


def locate(names: Sequence[bytes], where: str, *, paired: bool) -> Columns:
    """Return the columns of a header whose fields are `names`, in any case and order.

    where: file and line for messages; paired: whether the file is `train.csv` or `test.csv`, which
    have no column Usage. Raises UserError for any other header.
    """
    known = [name.lower() for name in names]
    _refuse_related_files(known, where)
    for index, name in enumerate(known):
        if name not in (*_REQUIRED, _USAGE):
            raise UserError(
                f"{where}: unknown column {quoted(names[index])}; the columns must be emotion, "
                "pixels and Usage: remove any others, or get the file again if it has no header"
            )
        if name in known[:index]:
            raise UserError(f"{where}: column {quoted(names[index])} twice; remove one of them")
    for name in _REQUIRED:
        if name not in known:
            raise UserError(f"{where}: no column {name.decode()}; get the file again")
    has_usage = _USAGE in known
    if not has_usage and not paired:
        raise UserError(
            f"{where}: no column Usage, which names the split; for the pair train.csv and test.csv "
            "set data.source to the folder that holds both"
        )
    if has_usage and paired:
        raise UserError(
            f"{where}: column Usage in one of a pair of files; name this file itself as the source"
        )
    usage = known.index(_USAGE) if has_usage else None
    return Columns(len(known), known.index(b"emotion"), known.index(b"pixels"), usage)


def drawn_split(row: NDArray[np.int64], data: Data) -> NDArray[np.uint8]:
    """Return the split, uint8 [B], of training faces with these rows, int64 [B].

    A face goes to validation with the probability `data.validation_fraction`, drawn from
    (data.seed, its row) alone: neighbours and block size do not matter.
    """
    drawn = uniform(data.seed, row) < data.validation_fraction
    return np.where(drawn, VALIDATION, TRAIN).astype(np.uint8)


def _refuse_related_files(known: list[bytes], where: str) -> None:
    """Raise UserError for the headers of files that accompany the right one or derive from it."""
    if b"image name" in known and b"neutral" in known:
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

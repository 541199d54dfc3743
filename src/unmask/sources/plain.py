"""The plain form of Kaggle's files, a block of rows at once.

Plain is a row without spaces or quotes around its fields and with "\n" at its end, as Kaggle writes
them. Whoever meets another row takes the reader that goes line by line, and says what is wrong.
"""

from collections.abc import Mapping

import numpy as np

from unmask.core.faces import CLASSES, TRAIN, FaceBlock
from unmask.sources import pixels
from unmask.sources.columns import Columns

_COMMA, _LINE, _ZERO = np.frombuffer(b",\n0", dtype=np.uint8)


def parse(
    text: bytes, first: int, columns: Columns, usage: Mapping[bytes, int]
) -> FaceBlock | None:
    """Return the faces of whole rows, or None where one of them is not plain or is at fault.

    first: number of the first row; usage: the split that each word in the column Usage names.
    """
    codes = np.frombuffer(text, dtype=np.uint8)
    ends = np.flatnonzero((codes == _COMMA) | (codes == _LINE))
    if not len(ends) or len(ends) % columns.fields or ends[-1] != len(codes) - 1:
        return None
    start = np.concatenate([[0], ends[:-1] + 1]).reshape(-1, columns.fields)
    end = ends.reshape(-1, columns.fields)
    if (codes[end[:, :-1]] != _COMMA).any() or (codes[end[:, -1]] != _LINE).any():
        return None

    def words(column: int) -> list[bytes]:
        return [text[s:e] for s, e in zip(start[:, column], end[:, column], strict=True)]

    labels = codes[start[:, columns.emotion]] - _ZERO  # wraps below "0"
    one_digit = end[:, columns.emotion] - start[:, columns.emotion] == 1
    if not one_digit.all() or labels.max() >= len(CLASSES):
        return None
    splits = [TRAIN] * len(labels)
    if columns.usage is not None:
        try:
            splits = [usage[word] for word in words(columns.usage)]
        except KeyError:
            return None
    images = pixels.parse(words(columns.pixels))
    if images is None:
        return None
    numbers = np.arange(first, first + len(labels))
    return FaceBlock(images, labels, np.array(splits, dtype=np.uint8), numbers)

"""The plain form of Kaggle's files, a block of rows at once.

Plain is a row without spaces or quotes around its fields and with "\n" at its end, as Kaggle writes
them. Whoever meets another row takes the reader that goes line by line, and says what is wrong.
"""

from collections.abc import Iterator
from io import BytesIO

import numpy as np

from unmask.core.faces import TRAIN, FaceBlock
from unmask.sources import pixels
from unmask.sources.columns import LABELS, SPLIT_OF, Columns


def parse(text: bytes, first: int, columns: Columns) -> FaceBlock | None:
    """Return the faces of whole rows, or None where one of them is not plain or is at fault.

    first: number of the first row.
    """
    words = list(zip(*_rows(text, columns.fields), strict=True))
    splits = [TRAIN] * len(words[0])
    try:
        labels = [LABELS[word] for word in words[columns.emotion]]
        if columns.usage is not None:
            splits = [SPLIT_OF[word] for word in words[columns.usage]]
    except KeyError:
        return None
    images = pixels.parse(words[columns.pixels])
    if images is None:
        return None
    return FaceBlock(
        images,
        np.array(labels, dtype=np.uint8),
        np.array(splits, dtype=np.uint8),
        np.arange(first, first + len(labels)),
    )


def _rows(text: bytes, fields: int) -> Iterator[list[bytes]]:
    """Yield the fields of each row; what is not plain stays in a field that nothing will accept.

    Looking for the next of one character is many times as fast as `split`, which looks at each.
    """
    for line in BytesIO(text):
        row, rest = [], line
        for _ in range(fields - 1):
            word, _, rest = rest.partition(b",")
            row.append(word)
        last, _, _ = rest.partition(b"\n")
        yield [*row, last]

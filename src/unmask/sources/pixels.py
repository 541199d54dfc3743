r"""The rows and pixel fields of the Kaggle files, many at once.

A pixel field holds 2304 numbers from 0 to 255, separated by single spaces. A row is plain if it has
neither spaces nor quotes around its fields and ends with "\n", as Kaggle writes them. Any other row
is left to the line-by-line reader, which says what is wrong.
"""

from collections.abc import Iterator, Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from unmask.core.faces import SIZE, TRAIN, FaceBlock
from unmask.sources.columns import LABELS, SPLIT_OF, Columns
from unmask.sources.text import quoted

COUNT = SIZE * SIZE

_SPACE, _ZERO, _NINE = np.frombuffer(b" 09", dtype=np.uint8)


def parse_pixels(fields: Sequence[bytes]) -> NDArray[np.uint8] | None:
    """Return the images, uint8 [B,48,48], of B fields, or None if any field is bad.

    fields: without line endings. All are parsed at once by operations on whole buffers: eighty
    million numbers one by one would take a minute.
    """
    if not fields:
        return np.empty((0, SIZE, SIZE), dtype=np.uint8)
    # Padded so that each last digit has two characters before it, and that the characters from
    # the fourth on make up pairs.
    before = 2 + (sum(map(len, fields)) + len(fields) - 1) % 2
    text = b" ".join([b" " * (before - 1), *fields, b""])
    codes = np.frombuffer(text, dtype=np.uint8)
    is_digit = codes >= _ZERO
    is_double = is_digit[1:] & is_digit[:-1]
    is_end = codes[3:] == _SPACE  # of the number whose last digit is two places further on
    # No two numbers end in the same pair of places, so it is enough to search the pairs.
    pairs = np.flatnonzero(is_end.view(np.uint16) != 0)
    digits = np.count_nonzero(is_digit)
    last = pairs[COUNT - 1 :: COUNT]
    if (
        codes.max() > _NINE
        or digits + len(pairs) + before != len(codes)
        or digits - np.count_nonzero(is_double) != len(pairs)  # otherwise a space follows a space
        or len(pairs) != COUNT * len(fields)
        or not np.array_equal(
            2 * last + is_end[1::2][last] + 3, before + np.cumsum([len(f) + 1 for f in fields]) - 1
        )
        or (is_double[2:] & is_double[:-2]).any()  # four digits in a row
    ):
        return None
    # At each place, the number that starts there if it has three digits; the spaces before a
    # shorter one count as 0.
    digit = codes & np.uint8(15)
    hundreds = digit[:-2] * is_double[1:].view(np.uint8)
    rest = digit[1:-1] * np.uint8(10) + digit[2:]
    values = hundreds * np.uint8(100) + rest
    # Up to 299 the sum wraps at most once, and then it is smaller than `rest`.
    if hundreds.max() > 2 or (values < rest).any():
        return None
    ended = (values[:-1] * is_end.view(np.uint8)).view(np.uint16)
    images: NDArray[np.uint8] = (ended | ended >> 8).astype(np.uint8).take(pairs)
    return images.reshape(-1, SIZE, SIZE)


def fault(field: bytes) -> str | None:
    """Return what is wrong with one field, or None if nothing is."""
    if not field:
        return "no pixels"
    tokens = field.split(b" ")
    for number, token in enumerate(tokens, start=1):
        if not token:
            return f"two spaces before pixel {number}"
        if not token.isdigit() or len(token) > 3 or int(token) > 255:
            return f"pixel {number} is {quoted(token)}, not a whole number from 0 to 255"
    if len(tokens) != COUNT:
        return f"{len(tokens)} pixels instead of {COUNT} ({SIZE}x{SIZE})"
    return None


def parse_rows(text: bytes, first: int, columns: Columns) -> FaceBlock | None:
    """Return the faces of whole rows, or None if one of them is not plain or is bad.

    first: line number of the first row.
    """
    words = list(zip(*_rows(text, columns.fields), strict=True))
    splits = [TRAIN] * len(words[0])
    try:
        labels = [LABELS[word] for word in words[columns.emotion]]
        if columns.usage is not None:
            splits = [SPLIT_OF[word] for word in words[columns.usage]]
    except KeyError:
        return None
    names = None if columns.name is None else words[columns.name]
    if names and not all(map(_is_plain, names)):
        return None
    images = parse_pixels(words[columns.pixels])
    if images is None:
        return None
    return FaceBlock(
        images,
        np.array(labels, dtype=np.uint8),
        np.array(splits, dtype=np.uint8),
        np.arange(first, first + len(labels)),
        names=None if names is None else [decoded(name) for name in names],
        are_rows=columns.names_are_rows,
    )


def decoded(name: bytes) -> str:
    """Return the name of a face as text, whatever its encoding."""
    return name.decode("utf-8", "backslashreplace")


def _is_plain(name: bytes) -> bool:
    return name == name.strip() and not any(byte in name for byte in b'",\r')


def _rows(text: bytes, fields: int) -> Iterator[list[bytes]]:
    """Yield the fields of each row; anything not plain stays in a field that will be refused.

    Searching for the next comma is many times as fast as `split`, which looks at each character.
    """
    for line in BytesIO(text):
        row, rest = [], line
        for _ in range(fields - 1):
            word, _, rest = rest.partition(b",")
            row.append(word)
        last, _, _ = rest.partition(b"\n")
        yield [*row, last]

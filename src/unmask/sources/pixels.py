"""The pixel fields of the Kaggle files: 2304 numbers from 0 to 255, separated by single spaces."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unmask.core.faces import SIZE
from unmask.sources.wording import quoted

COUNT = SIZE * SIZE

_SPACE, _ZERO, _NINE = np.frombuffer(b" 09", dtype=np.uint8)


def parse(fields: Sequence[bytes]) -> NDArray[np.uint8] | None:
    """Return the images uint8 [B,48,48] of B fields, or None where any field is at fault.

    fields: without line ends. All are read at once by operations on whole buffers: eighty million
    numbers one by one would take a minute.
    """
    if not fields:
        return np.empty((0, SIZE, SIZE), dtype=np.uint8)
    # Each number has two characters before its last, and from the fourth on they pair off.
    before = 2 + (sum(map(len, fields)) + len(fields) - 1) % 2
    text = b" ".join([b" " * (before - 1), *fields, b""])
    codes = np.frombuffer(text, dtype=np.uint8)
    is_digit = codes >= _ZERO
    is_double = is_digit[1:] & is_digit[:-1]
    is_end = codes[3:] == _SPACE  # of the number whose last digit stands two places after this one
    # No two numbers end in one pair of places, so pairs are looked through instead of places.
    pairs = np.flatnonzero(is_end.view(np.uint16) != 0)
    digits = np.count_nonzero(is_digit)
    last = pairs[COUNT - 1 :: COUNT]
    if (
        codes.max() > _NINE
        or digits + len(pairs) + before != len(codes)
        or digits - np.count_nonzero(is_double) != len(pairs)  # else a space follows a space
        or len(pairs) != COUNT * len(fields)
        or not np.array_equal(
            2 * last + is_end[1::2][last] + 3, before + np.cumsum([len(f) + 1 for f in fields]) - 1
        )
        or (is_double[2:] & is_double[:-2]).any()  # four digits in a row
    ):
        return None
    # At each place, the number that begins there if it has three digits; spaces before a shorter
    # one say 0.
    digit = codes & np.uint8(15)
    hundreds = digit[:-2] * is_double[1:].view(np.uint8)
    rest = digit[1:-1] * np.uint8(10) + digit[2:]
    values = hundreds * np.uint8(100) + rest
    # Up to 299 the sum wraps once, and then it is less than its part.
    if hundreds.max() > 2 or (values < rest).any():
        return None
    ended = (values[:-1] * is_end.view(np.uint8)).view(np.uint16)
    images: NDArray[np.uint8] = (ended | ended >> 8).astype(np.uint8).take(pairs)
    return images.reshape(-1, SIZE, SIZE)


def fault(field: bytes) -> str | None:
    """Return what is wrong with one field, or None where nothing is."""
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

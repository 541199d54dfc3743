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
    # Two spaces before the first number, so that each number has two characters before its last.
    text = b"  " + b" ".join(fields) + b" "
    codes = np.frombuffer(text, dtype=np.uint8)
    is_digit = codes >= _ZERO
    is_pair = is_digit[1:] & is_digit[:-1]
    ends = np.flatnonzero(codes[3:] == _SPACE)  # where the number's last digit stands, less two
    numbers = np.count_nonzero(is_digit) - np.count_nonzero(is_pair)
    if (
        codes.max() > _NINE
        or np.count_nonzero(is_digit) + len(ends) + 2 != len(codes)
        or numbers != len(ends)  # else there is a space after a space
        or len(ends) != COUNT * len(fields)
        or not np.array_equal(ends[COUNT - 1 :: COUNT] + 2, np.cumsum([len(f) + 1 for f in fields]))
        or (is_pair[2:] & is_pair[:-2]).any()  # four digits in a row
    ):
        return None
    # What stands at each place is the number whose last digit is there, if one is.
    digits = codes & np.uint8(15)  # the bits of a space say 0, as before a number of one digit
    hundreds = digits[:-2] * is_pair[1:].view(np.uint8)
    rest = digits[1:-1] * np.uint8(10) + digits[2:]
    values = hundreds * np.uint8(100) + rest
    # Up to 299 the sum wraps once, and then it is less than its part.
    if hundreds.max() > 2 or (values < rest).any():
        return None
    images: NDArray[np.uint8] = values.take(ends).reshape(-1, SIZE, SIZE)
    return images


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

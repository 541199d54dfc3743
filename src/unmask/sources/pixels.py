"""The pixel fields of the Kaggle files: 2304 numbers from 0 to 255, separated by single spaces."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unmask.core.faces import SIZE
from unmask.sources.wording import quoted

COUNT = SIZE * SIZE

_SPACE, _ZERO = np.frombuffer(b" 0", dtype=np.uint8)


def parse(fields: Sequence[bytes]) -> NDArray[np.uint8] | None:
    """Return the images uint8 [B,48,48] of B fields, or None where any field is at fault.

    All fields are read at once by operations on whole buffers: eighty million numbers one by one
    would take a minute.
    """
    if not fields:
        return np.empty((0, SIZE, SIZE), dtype=np.uint8)
    # Two spaces before the first number, so that each number has two characters before its last.
    text = b"  " + b" ".join(fields) + b" "
    codes = np.frombuffer(text, dtype=np.uint8)
    is_space = codes == _SPACE
    digits = codes - _ZERO  # wraps below "0", so that every other character is 10 or more
    is_digit = digits < 10
    if not _well_formed(is_space, is_digit):
        return None
    digits *= is_digit  # a space counts as the digit 0 before the number
    last = np.flatnonzero(is_space[3:])  # of each number the last digit, counted from text[2]
    field_ends = np.cumsum([len(field) + 1 for field in fields]) - 2
    if len(last) != COUNT * len(fields) or (last[COUNT - 1 :: COUNT] != field_ends).any():
        return None
    hundreds = (digits[:-2] * is_digit[1:-1]).take(last)
    rest = (digits[1:-1] * np.uint8(10) + digits[2:]).take(last)
    values: NDArray[np.uint8] = hundreds * np.uint8(100) + rest
    # Up to 299 the sum wraps once, and then it is less than its part.
    if (hundreds > 2).any() or (values < rest).any():
        return None
    return values.reshape(-1, SIZE, SIZE)


def _well_formed(is_space: NDArray[np.bool_], is_digit: NDArray[np.bool_]) -> bool:
    """Say whether there are digits and spaces alone, no two spaces and no four digits in a row."""
    pairs = is_digit[1:] & is_digit[:-1]
    return bool(
        (is_space | is_digit).all()
        and not (is_space[2:] & is_space[1:-1]).any()
        and not (pairs[2:] & pairs[:-2]).any()
    )


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

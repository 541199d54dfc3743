"""The pixel fields of the Kaggle files: 2304 numbers from 0 to 255, separated by single spaces."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unmask.core.faces import SIZE
from unmask.sources.wording import quoted

COUNT = SIZE * SIZE

_SPACE, _ZERO, _LINE = np.frombuffer(b" 0\n", dtype=np.uint8)


def parse(fields: Sequence[bytes]) -> NDArray[np.uint8] | None:
    """Return the images uint8 [B,48,48] of B fields, or None where any field is at fault.

    fields: without line ends. All are read at once by operations on whole buffers: eighty million
    numbers one by one would take a minute.
    """
    if not fields:
        return np.empty((0, SIZE, SIZE), dtype=np.uint8)
    # Two spaces before the first number, so that each number has two characters before its last.
    text = b"  " + b"\n".join(fields) + b"\n"
    codes = np.frombuffer(text, dtype=np.uint8)
    is_line = codes == _LINE
    is_end = (codes == _SPACE) | is_line
    digits = codes - _ZERO  # wraps below "0", so that every other character is 10 or more
    is_digit = digits < 10
    if not _well_formed(is_end, is_digit):
        return None
    # What stands here at each place is the number whose last digit is there, if one is.
    digits *= is_digit.view(np.uint8)  # a space counts as the digit 0 before the number
    hundreds = digits[:-2] * is_digit[1:-1].view(np.uint8)
    rest = digits[1:-1] * np.uint8(10) + digits[2:]
    values = hundreds * np.uint8(100) + rest
    # Up to 299 the sum wraps once, and then it is less than its part.
    too_large = ((hundreds > 2) | (values < rest))[:-1] & is_end[3:]
    last = np.flatnonzero(is_end[3:])
    if (
        too_large.any()
        or len(last) != COUNT * len(fields)
        or not is_line[3:].take(last[COUNT - 1 :: COUNT]).all()
    ):
        return None
    images: NDArray[np.uint8] = values.take(last).reshape(-1, SIZE, SIZE)
    return images


def _well_formed(is_end: NDArray[np.bool_], is_digit: NDArray[np.bool_]) -> bool:
    """Say whether all are digits and ends, with no two ends and no four digits in a row."""
    pairs = is_digit[1:] & is_digit[:-1]
    return bool(
        (is_end | is_digit).all()
        and not (is_end[2:] & is_end[1:-1]).any()
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

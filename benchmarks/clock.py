"""A clock for training, of the standard library alone: not every side has PyTorch."""

import time


class Clock:
    """Notes when epochs end; the first epoch warms up and does not count.

    An epoch lasts until the end of the next, so that it includes validation and whatever is
    written.
    """

    def __init__(self) -> None:
        self._ends: list[float] = []

    def __call__(self, epoch: int = 0) -> None:
        """Note the end of an epoch."""
        self._ends.append(time.perf_counter())

    def rate(self, faces: int) -> float:
        """Return how many faces were learned from in a second, where an epoch has `faces`."""
        return faces * (len(self._ends) - 1) / (self._ends[-1] - self._ends[0])

"""A clock for training, of the standard library alone: not every side has PyTorch."""

import time


class Clock:
    """Notes when epochs end; the first epoch warms up and does not count.

    An epoch lasts until the end of the next, so that it includes validation and whatever is
    written.
    """

    def __init__(self) -> None:
        self._ends: list[float] = []
        self._busy: list[float] = []

    def __call__(self, epoch: int = 0) -> None:
        """Note the end of an epoch."""
        self._ends.append(time.perf_counter())
        self._busy.append(time.process_time())

    def rates(self, faces: int) -> dict[str, float]:
        """Return how many faces were learned from in a second, where an epoch has `faces`.

        `busy` is of seconds of processors, all of this process's threads together.
        """
        learned = faces * (len(self._ends) - 1)
        return {
            "rate": learned / (self._ends[-1] - self._ends[0]),
            "busy": learned / (self._busy[-1] - self._busy[0]),
        }

"""A clock for training, with only the standard library: not every side has PyTorch."""

import time


class Clock:
    """Notes when epochs end; the first epoch is a warm-up and does not count.

    Times run from the end of one epoch to the end of the next, validation and all writing included.
    """

    def __init__(self) -> None:
        self._ends: list[float] = []
        self._busy: list[float] = []

    def __call__(self, epoch: int = 0) -> None:
        """Note the end of an epoch."""
        self._ends.append(time.perf_counter())
        self._busy.append(time.process_time())

    def rates(self, faces: int) -> dict[str, float]:
        """Return training faces per second, where an epoch has `faces` of them.

        `rate` is per second, `busy` per CPU second of all of this process's threads.
        """
        learned = faces * (len(self._ends) - 1)
        return {
            "rate": learned / (self._ends[-1] - self._ends[0]),
            "busy": learned / (self._busy[-1] - self._busy[0]),
        }

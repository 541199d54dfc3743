"""Progress of long work on standard error: a bar in a terminal, a line now and then in a log."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")

_SECONDS_BETWEEN_LINES = 10.0
_BAR = "{desc} {bar} {percentage:3.0f}%  {remaining} left  {postfix}"


class Progress:
    """Shows the progress of work called `name`, or nothing at all if it is `silent`."""

    def __init__(self, name: str, *, silent: bool = False) -> None:
        self._name, self._silent = name, silent
        self._began = self._last_line = time.monotonic()
        self._first: float | None = None
        hidden = silent or not sys.stderr.isatty()
        self._bar = tqdm(desc=name, total=1, bar_format=_BAR, dynamic_ncols=True, disable=hidden)

    def say(self, text: str) -> None:
        """Print one line about the work."""
        if not self._silent:
            tqdm.write(f"{self._name}: {text}", file=sys.stderr)

    def show(
        self, done: float, total: float, line: str, seconds: float, figures: str | None = None
    ) -> None:
        """Show that `done` of `total` is finished.

        line: for a log, if the last one was printed more than `seconds` ago; the time left follows.
        figures: the text beside the bar from now on.
        """
        if figures is not None:
            self._bar.set_postfix_str(figures, refresh=False)
        self._bar.update(done / total - self._bar.n)
        if self._first is None:
            self._first, self._began = done, time.monotonic()
        if self._bar.disable and time.monotonic() - self._last_line > seconds:
            self._last_line = time.monotonic()
            self.say(line + self._left(done, total))

    def close(self) -> None:
        """End the bar; the next output starts on a new line."""
        self._bar.close()

    def _left(self, done: float, total: float) -> str:
        """Return how long the rest takes at the rate so far."""
        first = self._first or 0
        if done >= total or done <= first:
            return ""
        seconds = (time.monotonic() - self._began) * (total - done) / (done - first)
        return f", {tqdm.format_interval(seconds)} left"


def track(steps: Iterable[T], total: int, name: str) -> Iterator[T]:
    """Yield `steps`, and show how many of `total` are done; without a name, show nothing."""
    progress = Progress(name, silent=not name)
    try:
        for number, step in enumerate(steps):
            progress.show(number, total, f"{number / total:.0%}", _SECONDS_BETWEEN_LINES)
            yield step
    finally:
        progress.close()

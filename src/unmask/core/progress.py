"""Progress of long work on standard error: a bar in a terminal, a line now and then in a log."""

import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

T = TypeVar("T")

_SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Shows how far work called `name` is; nothing at all where it is `silent`."""

    def __init__(self, name: str, *, silent: bool = False) -> None:
        self._name, self._last_line = name, time.monotonic()
        self._began: tuple[float, float] | None = None
        self._console = Console(stderr=True, quiet=silent)
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task(name, total=None, figures="")
        self._bar.start()

    def say(self, text: str) -> None:
        """Print one line about the work."""
        self._console.print(f"{self._name}: {text}", soft_wrap=True, highlight=False)

    def show(
        self, done: float, total: float, line: str, seconds: float, figures: str | None = None
    ) -> None:
        """Show that `done` of `total` has passed.

        line: for a log, where the last one was printed more than `seconds` ago; the time left
            follows. figures: what stands beside the bar from now on.
        """
        now = time.monotonic()
        if self._began is None:
            self._began = now, done
        self._bar.update(self._task, completed=done, total=total)
        if figures is not None:
            self._bar.update(self._task, figures=figures)
        if self._bar.disable and now - self._last_line > seconds:
            self.say(line + self._left(now, done, total))
            self._last_line = now

    def close(self) -> None:
        """End the bar; the next output starts on a new line."""
        self._bar.stop()

    def _left(self, now: float, done: float, total: float) -> str:
        """Say how long the rest takes at the rate so far."""
        began, before = self._began or (now, done)
        if done >= total or done <= before:
            return ""
        seconds = (now - began) * (total - done) / (done - before)
        return f", {timedelta(seconds=round(seconds))} left"


def track(steps: Iterable[T], total: int, name: str) -> Iterator[T]:
    """Yield `steps`, and show how many of `total` have passed; without a name, show nothing."""
    progress = Progress(name, silent=not name)
    try:
        for number, step in enumerate(steps):
            progress.show(number, total, f"{number / total:.0%}", _SECONDS_BETWEEN_LINES)
            yield step
    finally:
        progress.close()

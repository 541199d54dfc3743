"""Progress of a training run: a bar in a terminal, a line every few seconds in a log file."""

import time
from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

_SECONDS_BETWEEN_LINES = 5


class Progress:
    """Shows epochs as they end, on standard error."""

    def __init__(self, name: str) -> None:
        self._name, self._console, self._last_line = name, Console(stderr=True), 0.0
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

    def resumed(self, epochs: int) -> None:
        """Say that the run goes on after `epochs` epochs of an interrupted one."""
        self._console.print(f"{self._name}: going on after epoch {epochs} of an interrupted run")

    def epoch(self, epoch: int, epochs: int, figures: Mapping[str, float]) -> None:
        """Show that `epoch` of at most `epochs` has ended."""
        text = "  ".join(f"{name} {value:.4f}" for name, value in figures.items())
        self._bar.update(self._task, completed=epoch, total=epochs, figures=text)
        now = time.monotonic()
        if self._bar.disable and now - self._last_line > _SECONDS_BETWEEN_LINES:
            print(f"{self._name}: epoch {epoch} of at most {epochs}  {text}", flush=True)
            self._last_line = now

    def close(self) -> None:
        """End the bar; the next output starts on a new line."""
        self._bar.stop()

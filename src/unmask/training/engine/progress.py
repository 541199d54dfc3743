"""Progress of a training run: a bar in a terminal, a line now and then in a log file."""

import time
from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

_SECONDS_BETWEEN_LINES = 5
_SECONDS_WITHIN_AN_EPOCH = 60


class Progress:
    """Shows epochs as they pass, on standard error; nothing at all where it is `silent`."""

    def __init__(self, name: str, *, silent: bool = False) -> None:
        self._name, self._last_line = name, time.monotonic()
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
        """Print one line about the run."""
        self._console.print(f"{self._name}: {text}", soft_wrap=True, highlight=False)

    def features(self, share: float) -> None:
        """Show which share of the faces has features."""
        self._bar.update(self._task, completed=share, total=1, figures="features of the encoder")
        self._line(f"features of the frozen encoder, {share:.0%}", _SECONDS_WITHIN_AN_EPOCH)

    def within(self, epoch: int, epochs: int, share: float) -> None:
        """Show that `share` of the epoch after `epoch` (of at most `epochs`) has passed."""
        self._bar.update(self._task, completed=epoch + share, total=epochs)
        self._line(
            f"epoch {epoch + 1} of at most {epochs}, {share:.0%} of its faces",
            _SECONDS_WITHIN_AN_EPOCH,
        )

    def epoch(self, epoch: int, epochs: int, figures: Mapping[str, float]) -> None:
        """Show that `epoch` of at most `epochs` has ended."""
        text = "  ".join(f"{name} {value:.4f}" for name, value in figures.items())
        self._bar.update(self._task, completed=epoch, total=epochs, figures=text)
        self._line(f"epoch {epoch} of at most {epochs}  {text}", _SECONDS_BETWEEN_LINES)

    def close(self) -> None:
        """End the bar; the next output starts on a new line."""
        self._bar.stop()

    def _line(self, text: str, seconds: float) -> None:
        now = time.monotonic()
        if self._bar.disable and now - self._last_line > seconds:
            self.say(text)
            self._last_line = now

"""Progress of a training run."""

from collections.abc import Mapping

from unmask.core.progress import Progress

_SECONDS_BETWEEN_EPOCHS = 5
_SECONDS_WITHIN_AN_EPOCH = 60


class TrainingProgress(Progress):
    """Shows epochs as they pass."""

    def features(self, share: float) -> None:
        """Show which share of the faces has features."""
        text = "features of the frozen encoder"
        self.show(share, 1, f"{text}, {share:.0%}", _SECONDS_WITHIN_AN_EPOCH, text)

    def within(self, epoch: int, epochs: int, share: float) -> None:
        """Show that `share` of the epoch after `epoch` (of at most `epochs`) has passed."""
        line = f"epoch {epoch + 1} of at most {epochs}, {share:.0%} of its faces"
        self.show(epoch + share, epochs, line, _SECONDS_WITHIN_AN_EPOCH)

    def epoch(self, epoch: int, epochs: int, figures: Mapping[str, float]) -> None:
        """Show that `epoch` of at most `epochs` has ended."""
        text = "  ".join(f"{name} {value:.4f}" for name, value in figures.items())
        line = f"epoch {epoch} of at most {epochs}  {text}"
        self.show(epoch, epochs, line, _SECONDS_BETWEEN_EPOCHS, text)

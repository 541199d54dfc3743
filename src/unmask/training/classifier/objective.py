"""Classification: cross-entropy of the label."""

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional

from unmask.core.compute.batches import to_unit
from unmask.training.engine.objective import SingleLoss


class Classification(SingleLoss):
    """Teaches a classifier from batches (images uint8 [B,1,H,W], labels uint8 [B]).

    A third tensor, float [B,7], holds the probabilities of the classes that are to be learned.
    """

    monitor, sign = "accuracy", 1

    def measure(self, batch: Sequence[Tensor]) -> dict[str, Tensor]:
        """Return mean cross-entropy (nats) and accuracy of the batch."""
        images, labels = batch[0], batch[1].long()
        target = batch[2] if len(batch) > 2 else labels
        logits = self.predict(to_unit(images))
        return {
            "loss": functional.cross_entropy(logits, target),
            "accuracy": (logits.argmax(1) == labels).float().mean(),
        }

"""Cross-entropy of the label: what classifiers learn from."""

from torch import Tensor, nn

from unmask.core.section import Section
from unmask.mask import view_of
from unmask.models.batches import Batch, to_unit
from unmask.params.training import Training
from unmask.training.objective import SingleLoss
from unmask.training.process_group import Compute


class Params(Section):
    """view: what of the images in a batch the classifier sees; see `mask.view_of`."""

    view: str


class CrossEntropy(SingleLoss):
    """Teaches a classifier from batches with images and `label`, uint8 [B].

    If a batch has `soft_label`, float [B,7], these probabilities of the classes are learned, and
    accuracy is of the labels.
    """

    monitor, sign = "accuracy", 1

    def __init__(
        self, model: nn.Module, params: Params, settings: Training, compute: Compute
    ) -> None:
        super().__init__(model, settings, compute)
        self._view = params.view

    def measure(self, batch: Batch) -> dict[str, Tensor]:
        """Return mean cross-entropy (nats) and accuracy of the batch."""
        labels = batch["label"].long()
        logits = self.predict(to_unit(view_of(batch, self._view)))
        return {
            "loss": self.label_loss(logits, batch),
            "accuracy": (logits.argmax(1) == labels).float().mean(),
        }


def build(model: nn.Module, params: Params, settings: Training, compute: Compute) -> CrossEntropy:
    """Return the objective for `model`."""
    return CrossEntropy(model, params, settings, compute)

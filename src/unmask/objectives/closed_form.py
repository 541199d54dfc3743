"""Closed form: a reconstructor that is computed from the training faces in one pass, by no loss."""

from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from unmask.core.errors import UserError
from unmask.core.section import Section
from unmask.models.batches import Batch, to_unit
from unmask.models.distance import Distance, distance
from unmask.params.models import Training
from unmask.training.objective import Objective
from unmask.training.process_group import Compute


@runtime_checkable
class Observer(Protocol):
    """A reconstructor that is computed from the faces that it is shown."""

    def observe(self, upper: Tensor, lower: Tensor) -> None:
        """Take in halves, float [B,1,24,48] in [0,1] each."""


class Params(Section):
    """Nothing to set."""


class ClosedForm(Objective):
    """Shows `upper` and `lower` of every training batch to `model.observe`."""

    capturable = False

    def __init__(self, model: nn.Module) -> None:
        if not isinstance(model, Observer):
            raise UserError(
                f"{type(model).__name__} cannot be computed in closed form; set its objective to "
                "supervised"
            )
        super().__init__(model)
        self._observer: Observer = model

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        """Let the model observe the batch; return figures of the model as it was before."""
        figures = self.measure(batch)
        self._observer.observe(to_unit(batch["upper"]), to_unit(batch["lower"]))
        return figures

    def measure(self, batch: Batch) -> dict[str, Tensor]:
        """Return the mean absolute error of the batch, in units of the pixel range."""
        generated = self.model(to_unit(batch["upper"]))
        return {"loss": distance(generated, to_unit(batch["lower"]), Distance())}


def build(model: nn.Module, params: Params, settings: Training, compute: Compute) -> ClosedForm:
    """Return the objective for `model`."""
    return ClosedForm(model)

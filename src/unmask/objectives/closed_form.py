"""Closed form: a reconstructor that is computed from the training faces in one pass, by no loss."""

from torch import Tensor, nn

from unmask.core.errors import UserError
from unmask.core.section import Section
from unmask.models.batches import Batch, to_unit
from unmask.models.distance import Distance, distance
from unmask.params.models import Training
from unmask.training.objective import Objective
from unmask.training.process_group import Compute


class Params(Section):
    """Nothing to set."""


class ClosedForm(Objective):
    """Shows `upper` and `lower` of every training batch to `model.observe`."""

    capturable = False

    def __init__(self, model: nn.Module) -> None:
        if not hasattr(model, "observe"):
            raise UserError(
                f"{type(model).__name__} cannot be computed in closed form; set its objective to "
                "supervised"
            )
        super().__init__(model)

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        """Let the model observe the batch; return figures of the model as it was before."""
        figures = self.measure(batch)
        self.model.observe(to_unit(batch["upper"]), to_unit(batch["lower"]))  # type: ignore[operator]
        return figures

    def measure(self, batch: Batch) -> dict[str, Tensor]:
        """Return the mean absolute error of the batch, in units of the pixel range."""
        generated = self.model(to_unit(batch["upper"]))
        return {"loss": distance(generated, to_unit(batch["lower"]), Distance())}


def build(model: nn.Module, params: Params, settings: Training, compute: Compute) -> ClosedForm:
    """Return the objective for `model`."""
    return ClosedForm(model)

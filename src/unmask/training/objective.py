"""What the training loop asks of an objective."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from unmask.core.errors import UserError
from unmask.models.batches import Batch, to_unit
from unmask.params.models import Training
from unmask.training.optimiser import optimiser_of
from unmask.training.process_group import Compute, ProcessGroup


class Objective(ABC):
    """What a model learns from; this class has what is neutral.

    Batches are mappings of names to tensors on the model's device: images, uint8 [B,1,H,W], as
    `face` or as `upper` and `lower`; `label`, uint8 [B]; `soft_label`, float [B,7]; `fold`, uint8
    [B], the teacher that has not seen the face; `feature_0` and so on, the feature maps of a frozen
    encoder.

    model: what is trained and judged.
    helpers: other modules that are trained beside it, such as a discriminator, by name.
    frozen: modules that are used and never trained, such as a teacher, by name. The loop puts them
        on the device in evaluation mode; they are part of the run's identity and in no checkpoint.
    optimisers: everything that has state; an adversarial objective has two.
    monitor: the figure of `measure` that decides early stopping.
    sign: 1 if more of that figure is better, -1 if less is.
    capturable: whether a step on a GPU can be captured as a CUDA graph; see `GraphedStep`.
    """

    monitor: str = "loss"
    sign: int = -1
    capturable: bool = True

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.helpers: dict[str, nn.Module] = {}
        self.frozen: dict[str, nn.Module] = {}
        self.optimisers: list[torch.optim.Optimizer] = []

    def known(self, batch: Batch) -> Batch:
        """Return what is to be added to a batch before a step, such as what teachers say of it.

        The loop asks for the faces of several steps at once.
        """
        return {}

    @abstractmethod
    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        """Learn from one batch; return figures of it, each a scalar."""

    @abstractmethod
    def measure(self, batch: Batch) -> dict[str, Tensor]:
        """Return figures of one batch without learning from it."""

    def faults(self, figures: Mapping[str, float]) -> list[str]:
        """Return what is wrong with the figures of an epoch; an empty list if nothing is."""
        return []


def step(
    loss: Tensor,
    optimiser: torch.optim.Optimizer,
    parameters: Sequence[nn.Parameter],
    settings: Training,
    group: ProcessGroup,
) -> None:
    """Take one step of `optimiser` down `loss`, the gradient of `parameters` clipped if so set."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    group.sum_gradients(parameters)
    if settings.gradient_clip is not None:
        nn.utils.clip_grad_norm_(parameters, settings.gradient_clip)
    optimiser.step()


def trainable(model: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that learn; raises UserError if there are none."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    if not parameters:
        raise UserError(
            f"{type(model).__name__} has nothing that a loss could train; set its objective to "
            "closed_form"
        )
    return parameters


def reconstructor_inputs(batch: Batch) -> list[Tensor]:
    """Return what a reconstructor reads: features of its frozen encoder if kept, or upper halves.

    Either as float32; upper halves in [0,1].
    """
    features = [name for name in batch if name.startswith("feature_")]
    return [to_unit(batch[name]) for name in features or ["upper"]]


class SingleLoss(Objective):
    """The common case: one model, one loss (the figure `loss` of `measure`), one optimiser."""

    def __init__(self, model: nn.Module, settings: Training, compute: Compute) -> None:
        super().__init__(model)
        self._parameters = trainable(model)
        self._settings, self._compute = settings, compute
        self.optimisers = [optimiser_of(self._parameters, settings)]

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        """Take one step down the loss; return the figures of the model as it was before."""
        figures = self.measure(batch)
        group = self._compute.group
        step(figures["loss"], self.optimisers[0], self._parameters, self._settings, group)
        return figures

    def predict(self, *inputs: Tensor) -> Tensor:
        """Return the model's output in float32; only the model itself computes less precisely."""
        with self._compute.autocast():
            output: Tensor = self.model(*inputs)
        return output.float()

    def label_loss(self, logits: Tensor, batch: Batch, weights: Tensor | None = None) -> Tensor:
        """Return the cross-entropy (nats) of `label`, or of `soft_label` if the batch has it.

        logits: float [B,G], of classes or groups of them. In training mode, labels are smoothed if
        so set, and classes count by their `weights`, float [G], whose mean over training faces is
        1.
        """
        target = batch["soft_label"] if "soft_label" in batch else batch["label"].long()
        if not self.model.training:
            return functional.cross_entropy(logits, target)
        smoothing = self._settings.label_smoothing
        if weights is None:
            return functional.cross_entropy(logits, target, label_smoothing=smoothing)
        # PyTorch's mean divides by the weights of the batch: the parts of a batch that several
        # processes compute would not add up to it.
        return functional.cross_entropy(
            logits, target, weights, reduction="sum", label_smoothing=smoothing
        ) / len(logits)

"""Cross-entropy: of labels, soft labels and smoothed ones."""

import pytest
import torch
from runs import settings
from torch import nn
from torch.nn import functional

from unmask.objectives.cross_entropy import Params, build
from unmask.training.process_group import Compute

LABELS = torch.tensor([0, 3, 6, 1], dtype=torch.uint8)


class Fixed(nn.Module):
    """Returns the same logits for every batch."""

    def __init__(self):
        super().__init__()
        self.logits = nn.Parameter(torch.randn(4, 7, generator=torch.Generator().manual_seed(0)))

    def forward(self, images):
        return self.logits


def measured(smoothing, *, training, soft=None):
    train = settings(label_smoothing=smoothing).classifier
    compute = Compute(torch.device("cpu"), "float32")
    objective = build(Fixed().train(training), Params(view="whole"), train, compute)
    batch = {"face": torch.zeros(4, 1, 48, 48, dtype=torch.uint8), "label": LABELS}
    loss = objective.measure(batch | ({} if soft is None else {"soft_label": soft}))["loss"]
    return loss, objective.model.logits


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.4])
@pytest.mark.parametrize("mixed", [False, True])
def test_smoothing_is_that_of_pytorch_and_only_in_training(smoothing, mixed):
    soft = torch.rand(4, 7).softmax(1) if mixed else None
    target = LABELS.long() if soft is None else soft
    loss, logits = measured(smoothing, training=True, soft=soft)
    assert torch.equal(loss, functional.cross_entropy(logits, target, label_smoothing=smoothing))
    loss, logits = measured(smoothing, training=False, soft=soft)
    assert torch.equal(loss, functional.cross_entropy(logits, target))


def test_smoothed_labels_are_a_mixture_with_all_classes():
    loss, logits = measured(0.3, training=True)
    spread = 0.7 * functional.one_hot(LABELS.long(), 7) + 0.3 / 7
    expected = -(spread * logits.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(loss, expected)

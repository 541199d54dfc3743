"""Cross-entropy: of labels, soft and smoothed ones, with weights of classes, and of groups."""

import pytest
import torch
from runs import settings
from torch import nn
from torch.nn import functional

from unmask.core.errors import UserError
from unmask.core.section import check
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


def learning(smoothing=0.0, *, training=True, **params):
    train = settings(label_smoothing=smoothing).classifier
    compute = Compute(torch.device("cpu"), "float32")
    return build(Fixed().train(training), Params(view="whole", **params), train, compute)


def measured(smoothing=0.0, *, training=True, soft=None, **params):
    objective = learning(smoothing, training=training, **params)
    batch = {"face": torch.zeros(4, 1, 48, 48, dtype=torch.uint8), "label": LABELS}
    figures = objective.measure(batch | ({} if soft is None else {"soft_label": soft}))
    return figures, objective.model.logits


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.4])
@pytest.mark.parametrize("mixed", [False, True])
def test_smoothing_is_that_of_pytorch_and_only_in_training(smoothing, mixed):
    soft = torch.rand(4, 7).softmax(1) if mixed else None
    target = LABELS.long() if soft is None else soft
    figures, logits = measured(smoothing, training=True, soft=soft)
    assert torch.equal(
        figures["loss"], functional.cross_entropy(logits, target, label_smoothing=smoothing)
    )
    figures, logits = measured(smoothing, training=False, soft=soft)
    assert torch.equal(figures["loss"], functional.cross_entropy(logits, target))


def test_smoothed_labels_are_a_mixture_with_all_classes():
    figures, logits = measured(0.3, training=True)
    spread = 0.7 * functional.one_hot(LABELS.long(), 7) + 0.3 / 7
    expected = -(spread * logits.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(figures["loss"], expected)


COUNTS = [40, 0, 10, 30, 10, 5, 5]


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_balanced_classes_count_alike_whatever_their_number(smoothing):
    weights = torch.tensor([100 / (7 * count) if count else 0.0 for count in COUNTS])
    balanced = {"class_weights": "balanced", "counts": COUNTS}
    figures, logits = measured(smoothing, **balanced)
    spread = (1 - smoothing) * functional.one_hot(LABELS.long(), 7) + smoothing / 7
    expected = -(weights * spread * logits.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(figures["loss"], expected)
    soft, _ = measured(smoothing, soft=functional.one_hot(LABELS.long(), 7).float(), **balanced)
    torch.testing.assert_close(soft["loss"], expected)
    judged, logits = measured(training=False, **balanced)
    assert torch.equal(judged["loss"], functional.cross_entropy(logits, LABELS.long()))


FIVE = [["angry", "disgust"], ["fear", "surprise"], ["happy"], ["sad"], ["neutral"]]


def joined(p):
    """Return the probabilities of FIVE, [B,5], from those of the classes."""
    return torch.stack([p[:, 0] + p[:, 1], p[:, 2] + p[:, 5], p[:, 3], p[:, 4], p[:, 6]], 1)


def test_of_groups_the_sum_of_their_probabilities_is_learned():
    figures, logits = measured(groups=FIVE)
    found, groups = joined(logits.softmax(1)), torch.tensor([0, 2, 4, 0])
    each = -found[range(4), groups].log()
    torch.testing.assert_close(figures["loss"], each.mean())
    assert figures["accuracy"] == (found.argmax(1) == groups).float().mean()
    soft = torch.rand(4, 7).softmax(1)
    expected = functional.cross_entropy(found.log(), joined(soft))
    torch.testing.assert_close(measured(groups=FIVE, soft=soft)[0]["loss"], expected)
    weights = torch.tensor([100 / (5 * count) for count in (40, 15, 30, 10, 5)])
    balanced, _ = measured(groups=FIVE, class_weights="balanced", counts=COUNTS)
    torch.testing.assert_close(balanced["loss"], (weights[groups] * each).mean())


@pytest.mark.parametrize("groups", [[["angry"]], [*FIVE, ["happy"]], [*FIVE, []], [["joy"], *FIVE]])
def test_groups_hold_each_class_once(groups):
    with pytest.raises(UserError, match=r"^params.yaml: key.groups: .*: name each of angry, disg"):
        check(Params, {"view": "whole", "groups": groups}, "key")

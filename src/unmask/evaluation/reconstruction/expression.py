"""What a classifier of expressions sees in stitched faces, beside what it sees in the true ones."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance

from unmask.core.compute.batches import Batches, to_unit
from unmask.core.compute.device import compute

_BATCH_SIZE = 128


def expression(
    classifier: nn.Module,
    true: NDArray[np.uint8],
    stitched: NDArray[np.uint8],
    rows: NDArray[np.int64],
) -> dict[str, float]:
    """Return figures of the given rows of true and stitched faces, uint8 [N,48,48] each.

    `frechet_distance` (Heusel et al. 2017) is taken between the features that the last linear layer
    of `classifier` reads: Inception's mean little on grey faces of 48x48 pixels.
    `expression_agreement` is how often `classifier` gives the stitched face the class of the true
    one.
    """
    device = compute().device
    reader = _Reader(classifier.to(device).eval())
    reader.to(memory_format=torch.channels_last)
    distance = FrechetInceptionDistance(feature=_Given(reader.num_features)).to(device)
    agreed = 0
    for _, pair in Batches([true, stitched], rows, _BATCH_SIZE).in_order():
        classes = []
        for faces, real in zip(pair, (True, False), strict=True):
            logits, features = reader(to_unit(faces.to(device)))
            distance.update(features, real=real)
            classes.append(logits.argmax(1))
        agreed += int((classes[0] == classes[1]).sum())
    return {
        "frechet_distance": max(0.0, float(distance.compute())),  # rounding can take a zero below
        "expression_agreement": agreed / len(rows),
    }


class _Reader(nn.Module):
    """Maps faces to the classifier's logits and to what its last linear layer reads."""

    def __init__(self, classifier: nn.Module) -> None:
        super().__init__()
        self.classifier = classifier
        self._last = [m for m in classifier.modules() if isinstance(m, nn.Linear)][-1]
        self.num_features = self._last.in_features

    @torch.inference_mode()
    def forward(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        read: list[Tensor] = []
        hook = self._last.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
        try:
            logits = self.classifier(faces)
        finally:
            hook.remove()
        return logits, read[0]


class _Given(nn.Module):
    """Stands where torchmetrics expects a network: the features are given as they are."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        return features

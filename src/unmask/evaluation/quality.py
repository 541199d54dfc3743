"""How good generated lower halves are, as pictures and for a reader of expressions."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torchmetrics import MeanAbsoluteError
from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure
from torchmetrics.image.fid import FrechetInceptionDistance

from unmask.core.faces import SPLITS, TEST, rows_of
from unmask.mask import crop
from unmask.models.batches import Batches, to_unit
from unmask.models.device import choose_device, make_deterministic
from unmask.progress import track

Faces = NDArray[np.uint8]

_QUALITY_BATCH = 512
_READER_BATCH = 128

_MAX_PSNR_DB = 100.0
"""For a perfect reconstruction, whose PSNR is infinite, which JSON cannot express."""


def assess(
    classifier: nn.Module,
    true: Faces,
    stitched: Faces,
    split: NDArray[np.uint8],
    keep: NDArray[np.bool_],
) -> dict[str, dict[str, float]]:
    """Return the figures of `metrics/reconstruction/M.json`, for each split.

    true, stitched: uint8 [N,48,48]; split: uint8 [N]; keep: bool [N], the faces of training and
    validation that count. `classifier` reads whole faces.
    """
    make_deterministic()
    figures = {}
    for number, name in enumerate(SPLITS):
        rows = rows_of(split, number, None if number == TEST else keep)
        figures[name] = {
            **image_quality(true, stitched, rows),
            **expression(classifier, true, stitched, rows),
        }
    return figures


def image_quality(true: Faces, stitched: Faces, rows: NDArray[np.int64]) -> dict[str, float]:
    """Return figures for the generated halves alone; the true upper halves would flatter them.

    `psnr_db` is for the mean squared error over all faces, `ssim` (Wang et al. 2004, Gaussian
    kernel of 11 pixels) is the mean over faces, `l1` is the mean absolute error; pixels run from 0
    to 1.
    """
    scores = {
        "psnr_db": PeakSignalNoiseRatio(data_range=1.0),
        "ssim": StructuralSimilarityIndexMeasure(data_range=1.0),
        "l1": MeanAbsoluteError(),
    }
    lower_halves = {"generated": crop(stitched)[1], "true": crop(true)[1]}
    batches = Batches(lower_halves, rows, _QUALITY_BATCH).in_order()
    for _, pair in track(batches, -(-len(rows) // _QUALITY_BATCH), "image quality"):
        generated, target = to_unit(pair["generated"]), to_unit(pair["true"])
        for score in scores.values():
            score.update(generated, target)
    figures = {name: float(score.compute()) for name, score in scores.items()}
    return figures | {"psnr_db": min(figures["psnr_db"], _MAX_PSNR_DB)}


def expression(
    classifier: nn.Module, true: Faces, stitched: Faces, rows: NDArray[np.int64]
) -> dict[str, float]:
    """Return figures for the given rows of true and stitched faces, uint8 [N,48,48] each.

    `frechet_distance` (Heusel et al. 2017) is taken in the features that the last linear layer of
    `classifier` receives, since Inception's mean little for grey faces of 48x48 pixels.
    `expression_agreement` is how often `classifier` gives the stitched face the same class as the
    true one.
    """
    device = choose_device()
    reader = _Reader(classifier.to(device).eval())
    reader.to(memory_format=torch.channels_last)
    distance = FrechetInceptionDistance(feature=_Given(reader.num_features)).to(device)
    agreed = 0
    faces = {"true": true, "stitched": stitched}
    for _, pair in Batches(faces, rows, _READER_BATCH).in_order():
        classes = []
        for name, images in pair.items():
            logits, features = reader(to_unit(images.to(device)))
            distance.update(features, real=name == "true")
            classes.append(logits.argmax(1))
        agreed += int((classes[0] == classes[1]).sum())
    return {
        "frechet_distance": max(0.0, float(distance.compute())),  # rounding can push zero below
        "expression_agreement": agreed / len(rows),
    }


class _Reader(nn.Module):
    """Maps faces to the classifier's logits and to the input of its last linear layer."""

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
    """What torchmetrics takes for its feature network; returns the features that it is given."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        return features

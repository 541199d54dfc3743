"""How good generated lower halves are, as pictures and for a reader of expressions.

The figures are those of torchmetrics, which tests compare them with; to import it takes longer than
to compute them.
"""

from math import log10

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from unmask.core.faces import HIDDEN, SPLITS, TEST, rows_of
from unmask.core.mask import crop
from unmask.core.progress import track
from unmask.models.batches import Batches, to_unit
from unmask.models.device import choose_device, make_deterministic
from unmask.models.distance import ssim
from unmask.models.features import features_of, last_layer

Faces = NDArray[np.uint8]

_QUALITY_BATCH = 512
_READER_BATCH = 128
_SSIM_REACH = 5  # from the middle of a window of 11 pixels

_MAX_PSNR_DB = 100.0
"""For a perfect reconstruction, whose PSNR is infinite, which JSON cannot express."""


def assess(
    classifier: nn.Module,
    true: Faces,
    stitched: Faces,
    labels: NDArray[np.uint8],
    split: NDArray[np.uint8],
    keep: NDArray[np.bool_],
) -> dict[str, dict[str, float]]:
    """Return the figures of `metrics/reconstruction/M.json`, for each split.

    true, stitched: uint8 [N,48,48]; labels: uint8 [N], those of the test split hidden, so that
    there is no `label_agreement`; split: uint8 [N]; keep: bool [N], the faces of training and
    validation that count. `classifier` reads whole faces.
    """
    make_deterministic()
    figures = dict[str, dict[str, float]]()
    for number, name in enumerate(SPLITS):
        rows = rows_of(split, number, None if number == TEST else keep)
        figures[name] = {
            **image_quality(true, stitched, rows),
            **expression(classifier, true, stitched, labels, rows),
        }
    return figures


def image_quality(true: Faces, stitched: Faces, rows: NDArray[np.int64]) -> dict[str, float]:
    """Return figures for the generated halves alone; the true upper halves would flatter them.

    `psnr_db` is for the mean squared error over all faces, `ssim` (Wang et al. 2004, Gaussian
    kernel of 11 pixels) is the mean over faces, `l1` is the mean absolute error; pixels run from 0
    to 1. `gradient_energy` is the sum of squared differences of neighbouring pixels, as a share of
    what it is in the true halves: below 1 where they are blurred.
    """
    lower_halves = {"generated": crop(stitched)[1], "true": crop(true)[1]}
    batches = Batches(lower_halves, rows, _QUALITY_BATCH).in_order()
    absolute = squared = similarity = drawn = there = 0.0  # sums over faces
    for part, pair in track(batches, -(-len(rows) // _QUALITY_BATCH), "image quality"):
        generated, target = to_unit(pair["generated"]), to_unit(pair["true"])
        difference = (generated - target).double()
        absolute += len(part) * float(difference.abs().mean())
        squared += len(part) * float(difference.square().mean())
        similarity += len(part) * float(ssim(_reflected(generated), _reflected(target)))
        drawn, there = drawn + _energy(generated), there + _energy(target)
    decibels = -10 * log10(squared / len(rows)) if squared else _MAX_PSNR_DB
    return {
        "psnr_db": min(decibels, _MAX_PSNR_DB),
        "ssim": similarity / len(rows),
        "l1": absolute / len(rows),
        "gradient_energy": drawn / there if there else 1.0,
    }


def _energy(images: Tensor) -> float:
    return sum(float(images.diff(dim=side).double().square().sum()) for side in (2, 3))


def _reflected(images: Tensor) -> Tensor:
    """Continue images beyond their borders, so that there is a window of SSIM for every pixel."""
    return functional.pad(images, [_SSIM_REACH] * 4, mode="reflect")


def expression(
    classifier: nn.Module,
    true: Faces,
    stitched: Faces,
    labels: NDArray[np.uint8],
    rows: NDArray[np.int64],
) -> dict[str, float]:
    """Return figures for the given rows of true and stitched faces, uint8 [N,48,48] each.

    `frechet_distance` (Heusel et al. 2017) is taken in the features that the last linear layer of
    `classifier` receives, since Inception's mean little for grey faces of 48x48 pixels.
    `expression_agreement` is how often `classifier` gives the stitched face the same class as the
    true one, `label_agreement` how often the class that the face is labelled with, where
    labels are not hidden.
    """
    device = choose_device()
    classifier = classifier.to(device).eval().to(memory_format=torch.channels_last)
    faces = {"true": true, "stitched": stitched}
    size = last_layer(classifier).in_features
    moments = {name: _Moments(size, device) for name in faces}
    agreed, found = 0, list[Tensor]()
    for _, pair in Batches(faces, rows, _READER_BATCH).in_order():
        classes = []
        for name, images in pair.items():
            with torch.inference_mode(), features_of(classifier) as read:
                logits = classifier(to_unit(images.to(device)))
            moments[name].add(read[0])
            classes.append(logits.argmax(1))
        agreed += int((classes[0] == classes[1]).sum())
        found.append(classes[1].cpu())
    figures = {
        "frechet_distance": _frechet_distance(moments["true"], moments["stitched"]),
        "expression_agreement": agreed / len(rows),
    }
    if HIDDEN not in labels[rows]:
        right = torch.cat(found).numpy() == labels[rows]
        figures["label_agreement"] = float(right.mean())
    return figures


class _Moments:
    """Mean and covariance of features that come in batches."""

    def __init__(self, features: int, device: torch.device) -> None:
        self._count = 0
        self._sum = torch.zeros(features, dtype=torch.float64, device=device)
        self._products = torch.zeros(features, features, dtype=torch.float64, device=device)

    def add(self, features: Tensor) -> None:
        """Add the features of a batch, float [B,D]."""
        features = features.double()
        self._count += len(features)
        self._sum += features.sum(0)
        self._products += features.T @ features

    def mean(self) -> Tensor:
        """Return the mean, float [D]."""
        return self._sum / self._count

    def covariance(self) -> Tensor:
        """Return the covariance, float [D,D]."""
        mean = self.mean()
        centred: Tensor = self._products - self._count * torch.outer(mean, mean)
        return centred / max(1, self._count - 1)  # of one face, zero


def _frechet_distance(first: _Moments, second: _Moments) -> float:
    """Return the distance of two normal distributions (Dowson and Landau 1982)."""
    one, two = first.covariance(), second.covariance()
    # The root of a product of covariances has real eigenvalues, but for rounding.
    root = torch.linalg.eigvals(one @ two).sqrt().real.sum()
    means = (first.mean() - second.mean()).square().sum()
    distance = float(means + one.trace() + two.trace() - 2 * root)
    return max(0.0, distance)  # rounding can push zero below

"""The distance of generated lower halves from the true ones, as a loss."""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from unmask.core.section import Section

_POINTWISE = {"l1": functional.l1_loss, "l2": functional.mse_loss}
_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = 0.01**2, 0.03**2


class Distance(Section):
    """loss: `l1`, the mean absolute error, or `l2`, the mean squared error.

    structure: weight of the structural term, 1 - SSIM, beside it.
    """

    loss: Literal["l1", "l2"] = "l1"
    structure: float = Field(default=0.0, ge=0)


def distance(generated: Tensor, true: Tensor, settings: Distance) -> Tensor:
    """Return the mean distance of two batches, float [B,1,H,W] in [0,1]."""
    pointwise = _POINTWISE[settings.loss](generated, true)
    if not settings.structure:
        return pointwise
    return pointwise + settings.structure * (1 - ssim(generated, true))


def ssim(first: Tensor, second: Tensor) -> Tensor:
    """Return the mean structural similarity (Wang et al. 2004) of two batches, float [B,1,H,W].

    Gaussian window of 11 pixels, only where it lies completely inside the image, as in the paper:
    14x38 places of 24x48 pixels. (torchmetrics pads the border by reflection, whose gradient CUDA
    cannot compute deterministically.)
    """
    window = _window(first)
    products = [first, second, first * first, second * second, first * second]
    means = functional.conv2d(functional.conv2d(torch.cat(products), window), window.mT)
    mean1, mean2, square1, square2, product = means.chunk(5)
    variance1, variance2 = square1 - mean1**2, square2 - mean2**2
    covariance = product - mean1 * mean2
    similarity = (2 * mean1 * mean2 + _C1) * (2 * covariance + _C2)
    return (similarity / ((mean1**2 + mean2**2 + _C1) * (variance1 + variance2 + _C2))).mean()


def _window(like: Tensor) -> Tensor:
    """Return the Gaussian as a row, [1,1,1,11]."""
    offsets = torch.arange(_WINDOW, device=like.device, dtype=like.dtype) - _WINDOW // 2
    weights = torch.exp(-(offsets**2) / (2 * _SIGMA**2))
    return (weights / weights.sum()).view(1, 1, 1, -1)

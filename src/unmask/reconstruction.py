"""Generating the lower half of every face."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from unmask.core.compute.batches import to_pixels
from unmask.core.compute.inference import outputs
from unmask.core.files import ArrayWriter, whole_folder


def reconstruct(reconstructor: nn.Module, upper: NDArray[np.uint8], folder: Path) -> None:
    """Write `folder`/lower.npy, the lower half generated for each upper half, uint8 [N,24,48]."""
    with (
        whole_folder(folder) as temporary,
        ArrayWriter(temporary / "lower.npy", upper.shape[1:], np.uint8) as lower,
    ):
        for _, generated in outputs(reconstructor, upper, np.arange(len(upper)), "lower halves"):
            lower.append(to_pixels(generated))

"""Running a trained model over rows of an array, in float32 on the best device at hand."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from unmask.core.compute.batches import Batches, to_unit
from unmask.core.compute.device import compute

_BATCH_SIZE = 128  # enough to keep a device busy, and InceptionV3 within memory


def outputs(
    model: nn.Module, images: NDArray[np.uint8], rows: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
    """Yield (rows, model's output for them) in batches; images are uint8 [N,H,W]."""
    device = compute().device
    model = model.to(device).eval()
    # Not in inference mode: weights that are moved there could not be trained further.
    model.to(memory_format=torch.channels_last)
    return _outputs(model, Batches([images], rows, _BATCH_SIZE), device)


@torch.inference_mode()
def _outputs(
    model: nn.Module, batches: Batches, device: torch.device
) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
    for batch, (pixels,) in batches.in_order():
        yield batch, model(to_unit(pixels.to(device)))


def probabilities(
    model: nn.Module, images: NDArray[np.uint8], rows: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return a classifier's softmax probabilities, float32 [len(rows), classes]."""
    logits = torch.cat([batch.cpu() for _, batch in outputs(model, images, rows)])
    result: NDArray[np.float32] = logits.softmax(1).numpy()
    return result

"""Running a trained model over rows of an array, in float32 on the best device at hand."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from unmask.core.compute.batches import Batch, Batches, to_unit
from unmask.core.compute.device import compute
from unmask.core.progress import track

_BATCH_SIZE = 128  # enough to keep a device busy, and InceptionV3 within memory


def outputs(
    model: nn.Module, images: NDArray[np.uint8], rows: NDArray[np.int64], name: str = ""
) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
    """Yield (rows, model's output for them) in batches; images are uint8 [N,H,W].

    name: of the work, under which it is shown how far it is; without one nothing is.
    """
    device = compute().device
    model = model.to(device).eval()
    # Not in inference mode: weights that are moved there could not be trained further.
    model.to(memory_format=torch.channels_last)
    batches = Batches([images], rows, _BATCH_SIZE).in_order()
    return _outputs(model, track(batches, -(-len(rows) // _BATCH_SIZE), name), device)


@torch.inference_mode()
def _outputs(
    model: nn.Module, batches: Iterable[Batch], device: torch.device
) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
    for batch, (pixels,) in batches:
        yield batch, model(to_unit(pixels.to(device)))


def probabilities(
    model: nn.Module, images: NDArray[np.uint8], rows: NDArray[np.int64], name: str = ""
) -> NDArray[np.float32]:
    """Return a classifier's softmax probabilities, float32 [len(rows), classes]."""
    logits = torch.cat([batch.cpu() for _, batch in outputs(model, images, rows, name)])
    result: NDArray[np.float32] = logits.softmax(1).numpy()
    return result

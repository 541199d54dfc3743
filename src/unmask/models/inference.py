"""Running a trained model over rows of an array, in float32 on the best device at hand."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from unmask.core.files import ArrayWriter, atomic_folder
from unmask.core.progress import track
from unmask.models.batches import Batches, Item, Rows, to_pixels, to_unit
from unmask.models.device import choose_device, make_deterministic

_SHIFTS = ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2))  # where the view begins in the padded face
_BATCH_SIZE = 128  # enough to keep a device busy, and InceptionV3 within memory


def outputs(
    model: nn.Module, images: NDArray[np.uint8], rows: Rows, name: str = ""
) -> Iterator[tuple[Rows, Tensor]]:
    """Yield (rows, model's output for them) in batches; images are uint8 [N,H,W].

    name: of the work, under which its progress is shown; without one, none is.
    """
    device = choose_device()
    model = model.to(device).eval()
    # Not in inference mode: weights that are moved there could not be trained further.
    model.to(memory_format=torch.channels_last)
    batches = Batches({"images": images}, rows, _BATCH_SIZE).in_order()
    return _outputs(model, track(batches, -(-len(rows) // _BATCH_SIZE), name), device)


@torch.inference_mode()
def _outputs(
    model: nn.Module, batches: Iterable[Item], device: torch.device
) -> Iterator[tuple[Rows, Tensor]]:
    for rows, batch in batches:
        yield rows, model(to_unit(batch["images"].to(device)))


class AugmentedJudge(nn.Module):
    """A classifier that looks at ten versions of a face and averages what it thinks of them.

    These are the face and its mirror image (Krizhevsky, Sutskever and Hinton 2012, section 4.1),
    each also shifted by one pixel up, down, left and right; the border is repeated. Maps images,
    float [B,1,H,W], to logarithms of mean probabilities, [B,classes].
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Return logarithms of probabilities, which a softmax turns into the probabilities."""
        height, width = images.shape[2:]
        total = torch.zeros((), device=images.device)
        for faces in (images, images.flip(3)):
            padded = functional.pad(faces, (1, 1, 1, 1), mode="replicate")
            for top, left in _SHIFTS:
                view = padded[:, :, top : top + height, left : left + width]
                total = total + self.model(view).softmax(1)
        return (total / (2 * len(_SHIFTS))).log()


def probabilities(
    model: nn.Module,
    images: NDArray[np.uint8],
    rows: Rows,
    name: str = "",
    *,
    augment: bool = False,
) -> NDArray[np.float32]:
    """Return a classifier's softmax probabilities, float32 [len(rows), classes].

    augment: average them over versions of each face; see `AugmentedJudge`.
    """
    judge = AugmentedJudge(model) if augment else model
    logits = torch.cat([batch.cpu() for _, batch in outputs(judge, images, rows, name)])
    result: NDArray[np.float32] = logits.softmax(1).numpy()
    return result


def reconstruct(reconstructor: nn.Module, upper: NDArray[np.uint8], folder: Path) -> None:
    """Write `folder`/lower.npy, the lower half generated for each upper half, uint8 [N,24,48]."""
    make_deterministic()
    with (
        atomic_folder(folder) as temporary,
        ArrayWriter(temporary / "lower.npy", upper.shape[1:], np.uint8) as lower,
    ):
        for _, generated in outputs(reconstructor, upper, np.arange(len(upper)), "lower halves"):
            lower.append(to_pixels(generated))

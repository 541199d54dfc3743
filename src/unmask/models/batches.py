"""Batches of arrays, gathered at once.

A data set is a few memory-mapped arrays and the rows to be used; a batch is one index operation for
each array, on the processor or, where the rows fit, on the GPU. There are no worker processes.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unmask.core.randomness import seed_for

Rows = NDArray[np.int64]
Batch = dict[str, Tensor]
"""Tensors by name: `face`, or `upper` and `lower`; `label`, `soft_label`; see `Batches`."""

Inputs = dict[str, Tensor]
"""What a step starts from; `Batches.complete` makes a batch of it."""

Part = Callable[[Tensor], Tensor]
"""Returns what this process takes of values that run along the faces of a batch."""

LARGEST_SHARE = 0.25
"""Of the free memory of a GPU, what the rows of one split may take; other jobs want some too."""

_POSITION = "position"
_CHUNK = 4096


class Batches:
    """The given rows of arrays that run in parallel, in batches.

    arrays: by name, [N,...] each. Images, uint8 [N,H,W], arrive as uint8 [B,1,H,W]; `to_unit` makes
        them float when they are on the device.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], rows: Rows, batch_size: int) -> None:
        self.arrays, self.rows, self.batch_size = dict(arrays), rows, batch_size
        self._device = torch.device("cpu")

    def in_order(self) -> Iterator["Item"]:
        """Yield all rows once, in their order, as (rows, batch)."""
        for start in range(0, len(self.rows), self.batch_size):
            rows = self.rows[start : start + self.batch_size]
            yield rows, {name: _gather(array, rows) for name, array in self.arrays.items()}

    def shuffled(self, seed: int, epoch: int) -> Rows:
        """Return an order of the rows that is drawn from (seed, epoch), for `steps`."""
        return np.random.default_rng(seed_for(seed, epoch)).permutation(len(self.rows))

    def cuts(self, least: int = 1) -> list[slice]:
        """Return where an order of the rows is cut into batches.

        least: a rest of fewer faces than that is part of the batch before it.
        """
        starts = range(0, max(1, len(self.rows) - least + 1), self.batch_size)
        return [slice(a, b) for a, b in zip(starts, [*starts[1:], len(self.rows)], strict=True)]

    def steps(
        self,
        order: Rows,
        beside: Mapping[str, Tensor],
        part: Part,
        cuts: Sequence[slice],
        at_once: int = 1,
    ) -> Iterator[tuple[Inputs, list[int]]]:
        """Yield what `at_once` steps start from, and how many faces each of them has.

        order: positions among the rows, int64 [N], or [N,K] for K faces in place of each; a batch
            then has all the first ones before all the second ones.
        beside: other tensors, [N,...] in the same order, of which a step gets its slice as it is.
        cuts: see there.
        """
        along = {_POSITION: torch.from_numpy(order), **beside}
        along = {name: values.to(self._device) for name, values in along.items()}
        for first in range(0, len(cuts), at_once):
            these = cuts[first : first + at_once]
            parts = {name: [part(values[cut]) for cut in these] for name, values in along.items()}
            joined = {name: torch.cat(p) if len(p) > 1 else p[0] for name, p in parts.items()}
            yield self._read(joined), [len(position) for position in parts[_POSITION]]

    def complete(self, inputs: Inputs) -> Batch:
        """Return the batch, with the slices of `beside` in it, on the device of `inputs`."""
        return inputs

    def _read(self, inputs: Inputs) -> Inputs:
        rows = self.rows[face_by_face(inputs[_POSITION], 1).numpy()]
        gathered = {name: _gather(array, rows) for name, array in self.arrays.items()}
        return gathered | {name: inputs[name] for name in inputs if name != _POSITION}

    @property
    def bytes(self) -> int:
        """What the rows take."""
        each = (a.dtype.itemsize * math.prod(a.shape[1:]) for a in self.arrays.values())
        return len(self.rows) * sum(each)

    def __len__(self) -> int:
        return len(self.rows)


Item = tuple[Rows, Batch]


class ResidentBatches(Batches):
    """Batches whose rows lie on a device: a step starts from positions, and gathers them there.

    What runs beside them goes to the device at once, for all steps.
    """

    def __init__(self, batches: Batches, device: torch.device) -> None:
        super().__init__(batches.arrays, batches.rows, batches.batch_size)
        self._device = device
        self._held = {name: self._copy(array) for name, array in self.arrays.items()}

    def complete(self, inputs: Inputs) -> Batch:
        """Return the batch, gathered on the device."""
        position = face_by_face(inputs[_POSITION], 1)
        batch = {
            name: _with_channel(values.index_select(0, position))
            for name, values in self._held.items()
        }
        return batch | {name: inputs[name] for name in inputs if name != _POSITION}

    def _read(self, inputs: Inputs) -> Inputs:
        return inputs

    def _copy(self, array: NDArray[Any]) -> Tensor:
        dtype = torch.from_numpy(np.empty(0, array.dtype)).dtype
        held = torch.empty((len(self.rows), *array.shape[1:]), dtype=dtype, device=self._device)
        for start in range(0, len(self.rows), _CHUNK):
            rows = self.rows[start : start + _CHUNK]
            held[start : start + len(rows)] = torch.from_numpy(array[rows])
        return held


def placed(batches: Batches, device: torch.device, say: Callable[[str], None]) -> Batches:
    """Return the same batches with their rows on `device`, if it is a GPU on which they fit.

    `say` gets a line if they do not.
    """
    if device.type != "cuda":
        return batches
    free, _ = torch.cuda.mem_get_info(device)
    if batches.bytes > LARGEST_SHARE * free:
        say(
            f"{len(batches)} faces take {batches.bytes / 2**30:.1f} GiB, more than "
            f"{LARGEST_SHARE:.0%} of the GPU's free memory; batches come from main memory"
        )
        return batches
    return ResidentBatches(batches, device)


def face_by_face(values: Tensor, dimensions: int) -> Tensor:
    """Return what runs beside the faces of a batch in the order of its faces.

    values: [B,...], or [B,K,...] for K faces in place of each; dimensions: of what is returned,
    [B,...] or [K*B,...].
    """
    return values if values.ndim == dimensions else values.transpose(0, 1).flatten(0, 1)


def _gather(array: NDArray[Any], rows: Rows) -> Tensor:
    return _with_channel(torch.from_numpy(array[rows]))


def _with_channel(values: Tensor) -> Tensor:
    return values.unsqueeze(1) if values.ndim == 3 else values


def to_unit(images: Tensor) -> Tensor:
    """Map uint8 pixels to float32 in [0,1]; what is float already, such as features, to float32."""
    values = images.to(torch.float32)
    return values.div_(255) if images.dtype == torch.uint8 else values


def to_pixels(images: Tensor) -> NDArray[np.uint8]:
    """Map float [B,1,H,W] in [0,1] to uint8 [B,H,W], rounded to the nearest."""
    pixels = images.detach().float().mul(255).round_().clamp_(0, 255)
    array: NDArray[np.uint8] = pixels.to(torch.uint8).squeeze(1).cpu().numpy()
    return array

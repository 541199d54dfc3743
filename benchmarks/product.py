"""Our own training loop, timed, without what it writes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from clock import Clock
from numpy.typing import NDArray

from unmask.models.batches import Batches
from unmask.models.device import Compute
from unmask.params.training import Training
from unmask.training.loop import fit
from unmask.training.objective import Objective
from unmask.training.record import Record, State

Rows = tuple[NDArray[np.int64], NDArray[np.int64]]


def train(
    objective: Objective,
    arrays: Sequence[NDArray[Any]],
    rows: Rows,
    settings: Training,
    seed: int,
    machine: Compute,
    clock: Clock,
) -> State:
    """Train on the first of `rows`, validate on the second, and forget the checkpoint."""
    record = Record("benchmark", "", machine.team)
    batches = (Batches(arrays, part, settings.batch_size) for part in rows)
    state = fit(objective, *batches, settings, seed, machine, record, clock)
    record.close()
    record.end(state)
    return state

"""Our own training loop, timed, without the files that it writes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from clock import Clock
from numpy.typing import NDArray

from unmask.models.batches import Batches
from unmask.params.models import Training
from unmask.training.loop import fit
from unmask.training.objective import Objective
from unmask.training.process_group import Compute
from unmask.training.record import Record, State

Rows = tuple[NDArray[np.int64], NDArray[np.int64]]


def train(
    objective: Objective,
    arrays: Mapping[str, NDArray[Any]],
    rows: Rows,
    settings: Training,
    seed: int,
    compute: Compute,
    clock: Clock,
) -> State:
    """Train on the first of `rows`, validate on the second, and delete the checkpoint."""
    record = Record("benchmark", "", compute.group)
    batches = (Batches(arrays, part, settings.batch_size) for part in rows)
    state = fit(objective, *batches, settings, seed, compute, record, clock)
    record.close()
    record.end(state)
    return state

"""Faces joined by pairs of copies, directly or through others."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def components(pairs: Sequence[tuple[int, int]], count: int) -> NDArray[np.int64]:
    """Return a number for each of `count` faces, int64, the same for faces that pairs join."""
    # Here, since importing it takes longer than the rest of an audit that finds nothing.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first, second = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(pairs)), (first, second)), shape=(count, count))
    _, component = connected_components(graph, directed=False)
    return np.asarray(component, dtype=np.int64)

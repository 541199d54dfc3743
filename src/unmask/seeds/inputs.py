"""What a classifier of the pipeline reads, by its name."""

import numpy as np
from numpy.typing import NDArray

from unmask.core.files import open_array


def images_of(classifier: str) -> NDArray[np.uint8]:
    """Return the images of `baseline`, `ceiling` or a reconstructor's classifier, uint8 [N,H,W]."""
    files = {"baseline": "data/halves/upper.npy", "ceiling": "data/faces/images.npy"}
    return open_array(files.get(classifier, f"data/stitched/{classifier}/faces.npy"))

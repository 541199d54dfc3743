"""The classifiers of the pipeline by name: what each is shown, and where it is kept."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unmask.core.files import open_array, read_json

_VIEWS = {"baseline": "upper", "ceiling": "whole"}
_FILES = {"upper": "data/halves/upper.npy", "whole": "data/faces/images.npy"}


class Reader(NamedTuple):
    """A trained classifier with its view.

    view: `upper`, `whole`, or `stitched` with a reconstructor's name.
    run: names its folders under `models/` and `data/training/`.
    metrics: file of its figures; predictions: folder of its predictions.
    """

    view: str
    run: str
    metrics: Path
    predictions: Path

    def images(self) -> NDArray[np.uint8]:
        """Open what it is shown, uint8 [N,H,W]."""
        model = self.view.removeprefix("stitched ")
        return open_array(_FILES.get(self.view, f"data/stitched/{model}/faces.npy"))


def reader(name: str, seed: str = "") -> Reader:
    """Return the reader `name`: `baseline`, `ceiling`, or the final one of a reconstructor.

    seed: of those of the pipeline of seeds; without one it is that of the main pipeline.
    """
    view = _VIEWS.get(name, f"stitched {name}")
    if seed:
        path = f"{name}/{seed}"
        return Reader(view, f"seeds/{path}", Path(f"seeds/metrics/{path}.json"),
                      Path(f"data/seeds/predictions/{path}"))  # fmt: skip
    run = name if name in _VIEWS else f"final/{name}"
    metrics, predictions = Path(f"metrics/classification/{name}.json"), Path("data/predictions")
    return Reader(view, run, metrics, predictions / name)


def source_of_faces() -> dict[str, Any]:
    """Return what models say of the faces that they were trained on, as `ingest` found them."""
    meta = read_json("data/faces/meta.json")
    return {key: meta[key] for key in ("source", "source_sha256", "labels")}

"""The pipeline's classifiers by name: what each is shown, and where its files are."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unmask.core.files import open_array, read_json

_VIEWS = {"baseline": "upper", "ceiling": "whole"}
_FILES = {"upper": "data/halves/upper.npy", "whole": "data/faces/images.npy"}

OF_FACES = ("source", "source_sha256", "synthetic", "labels", "placement")
"""What models record about faces; `placement` is there if they were moved, by the stage `place`."""


class Reader(NamedTuple):
    """A trained classifier with its view.

    view: `upper`, `whole`, or `stitched` with a reconstructor's name.
    run: name of its folders under `models/` and `data/training/`.
    metrics: file of its metrics; predictions: folder of its predictions.
    """

    view: str
    run: str
    metrics: Path
    predictions: Path

    def images(self) -> NDArray[np.uint8]:
        """Open the images that it is shown, uint8 [N,H,W]."""
        model = self.view.removeprefix("stitched ")
        return open_array(_FILES.get(self.view, f"data/stitched/{model}/faces.npy"))


def reader(name: str, seed: str = "") -> Reader:
    """Return the reader `name`: `baseline`, `ceiling`, or a reconstructor's final classifier.

    seed: selects one from the seeds pipeline; without it, the reader is the main pipeline's.
    """
    view = _VIEWS.get(name, f"stitched {name}")
    if seed:
        path = f"{name}/{seed}"
        return Reader(view, f"seeds/{path}", Path(f"seeds/metrics/{path}.json"),
                      Path(f"data/seeds/predictions/{path}"))  # fmt: skip
    run = name if name in _VIEWS else f"final/{name}"
    metrics, predictions = Path(f"metrics/classification/{name}.json"), Path("data/predictions")
    return Reader(view, run, metrics, predictions / name)


def one_of(name: str, seed: str, view: str = "") -> Reader:
    """Return one model of a reader, an ensemble or a posterior average.

    seed: that it was trained from, or `all`; view: of no use to those who want its files alone.
    """
    path = f"{name}/{seed}"
    return Reader(view, f"readers/{path}", Path(f"readers/metrics/{path}.json"),
                  Path(f"data/readers/predictions/{path}"))  # fmt: skip


def model_folders(folder: str | Path) -> list[Path]:
    """Return the model folders within `folder`, in the order of the numbers that name them."""
    return sorted(Path(folder).iterdir(), key=lambda path: (len(path.name), path.name))


def source_of_faces() -> dict[str, Any]:
    """Return what models record about the faces they were trained on, as `ingest` found them."""
    meta = read_json("data/faces/meta.json")
    return {key: meta[key] for key in OF_FACES if key in meta}

"""Judge the classifier of an experiment of the laboratory on the faces that it names.

Reads models/laboratory/classifiers/EXPERIMENT and data/laboratory/injected/EXPERIMENT; writes
laboratory/metrics/EXPERIMENT.json and data/laboratory/predictions/EXPERIMENT.
"""

import _source  # noqa: F401

import numpy as np

from unmask.core import stage
from unmask.core.faces import FaceSet
from unmask.core.files import write_json
from unmask.evaluation.evaluate import evaluate_classifier


def main(name: str) -> None:
    """Run the stage for the experiment `name`."""
    injected = f"data/laboratory/injected/{name}"
    faces = FaceSet.open(f"{injected}/faces").unsealed(f"{injected}/test_labels.npy")

    figures = evaluate_classifier(
        f"models/laboratory/classifiers/{name}",
        faces.images,
        faces,
        np.ones(len(faces), bool),
        f"data/laboratory/predictions/{name}",
    )

    write_json(f"laboratory/metrics/{name}.json", figures)


if __name__ == "__main__":
    stage.run(main, reads_test_labels=True)

"""Train the classifier on the faces that an experiment of the laboratory made.

Reads data/laboratory/injected/EXPERIMENT/faces; writes models/laboratory/classifiers/EXPERIMENT and
its curves, data/training/laboratory/classifiers/EXPERIMENT.
"""

import _source  # noqa: F401

import numpy as np

from unmask.core import stage
from unmask.core.faces import FaceSet
from unmask.core.section import read
from unmask.params.laboratory import Experiment
from unmask.params.models import Train, read_classifier
from unmask.training.classifier import train_classifier


def main(name: str) -> None:
    """Run the stage for the experiment `name`."""
    classifier, train = read_classifier(), read(Train, "train")
    experiment = read(Experiment, f"laboratory.{name}")
    settings = train.classifier.overridden(experiment.train, f"laboratory.{name}")
    faces = FaceSet.open(f"data/laboratory/injected/{name}/faces")

    train_classifier(
        f"laboratory/classifiers/{name}",
        "stitched",
        faces.images,
        faces,
        np.ones(len(faces), bool),
        classifier,
        train.model_copy(update={"classifier": settings}),
        {"experiment": name},
    )


if __name__ == "__main__":
    stage.run(main)

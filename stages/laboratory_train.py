"""Train the classifier on what an experiment of the laboratory planted.

Reads data/laboratory/planted/EXPERIMENT/faces; writes models/laboratory/classifiers/EXPERIMENT and
its curves, data/training/laboratory/classifiers/EXPERIMENT.
"""

import numpy as np

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.faces import FaceSet
from unmask.core.params.models import Named
from unmask.core.params.section import read
from unmask.core.params.training import Train
from unmask.laboratory.params import Experiment
from unmask.training.classifier.train import train_classifier


def main(name: str) -> None:
    """Run the stage for the experiment `name`."""
    classifier, train = read(Named, "classifier"), read(Train, "train")
    experiment = read(Experiment, f"laboratory.{name}")
    settings = experiment.training(train.classifier, name)
    faces = FaceSet.open(f"data/laboratory/planted/{name}/faces")

    train_classifier(
        f"laboratory/classifiers/{name}",
        faces.images,
        faces,
        np.ones(len(faces), bool),
        classifier,
        train.model_copy(update={"classifier": settings}),
    )


if __name__ == "__main__":
    stage.run(main)

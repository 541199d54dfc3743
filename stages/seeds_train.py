"""Train one of the pipeline's classifiers from one seed.

Reads what the classifier reads, data/faces and data/audit/keep.npy; writes
models/seeds/CLASSIFIER/SEED and its curves, data/training/seeds/CLASSIFIER/SEED.
"""

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.faces import FaceSet
from unmask.core.files import open_array
from unmask.core.params.models import Named
from unmask.core.params.section import read
from unmask.core.params.training import Train
from unmask.seeds.inputs import images_of
from unmask.training.classifier.train import train_classifier


def main(name: str, seed: str) -> None:
    """Run the stage for the classifier `name`: baseline, ceiling or a reconstructor's."""
    classifier, train = read(Named, "classifier"), read(Train, "train")
    faces = FaceSet.open("data/faces")
    keep = open_array("data/audit/keep.npy")
    train = train.model_copy(update={"seed": int(seed)})

    train_classifier(f"seeds/{name}/{seed}", images_of(name), faces, keep, classifier, train)


if __name__ == "__main__":
    stage.run(main)

"""Train one of the pipeline's classifiers: `baseline`, `ceiling`, or that of a reconstructor.

The baseline sees upper halves, the ceiling true whole faces, a final classifier the faces stitched
with its reconstructor. Reads these, data/faces and data/audit; writes models/baseline,
models/ceiling or models/final/NAME, and curves, data/training/ and the same name. With a seed, it
trains for the pipeline of seeds, into models/seeds/NAME/SEED.
"""

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.faces import FaceSet
from unmask.core.files import open_array
from unmask.core.section import read
from unmask.models.readers import reader, source_of_faces
from unmask.params.models import Train, read_classifier
from unmask.training.classifier import train_classifier


def main(name: str, seed: str = "") -> None:
    """Run the stage for the classifier `name`."""
    classifier, train = read_classifier(), read(Train, "train")
    if seed:
        train = train.model_copy(update={"seed": int(seed)})
    faces = FaceSet.open("data/faces")
    keep = open_array("data/audit/keep.npy")
    trained = reader(name, seed)

    train_classifier(
        trained.run, trained.view, trained.images(), faces, keep, classifier, train,
        source_of_faces(),
    )  # fmt: skip


if __name__ == "__main__":
    stage.run(main)

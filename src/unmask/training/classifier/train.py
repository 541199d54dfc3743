"""Training a classifier: on upper halves, whole faces or stitched faces, by the same code."""

import numpy as np
from numpy.typing import NDArray

from unmask.core.compute.models import build_classifier
from unmask.core.faces import CLASSES, FaceSet
from unmask.core.faces import TRAIN as TRAIN_SPLIT
from unmask.core.faces import VALIDATION as VALIDATION_SPLIT
from unmask.core.params.models import Named
from unmask.core.params.training import Train
from unmask.training.classifier.objective import Classification
from unmask.training.engine.run import Inputs, prepare, train_and_save


def train_classifier(
    name: str,
    images: NDArray[np.uint8],
    faces: FaceSet,
    keep: NDArray[np.bool_],
    classifier: Named,
    train: Train,
) -> None:
    """Train on `images` and write what `train_and_save` writes.

    images: uint8 [N,H,W], one for each of `faces`; keep: bool [N], which of those to learn from.
    Where the faces have shares of votes, these are learned, and accuracy is of the labels.
    """
    targets = [faces.labels] if faces.shares is None else [faces.labels, faces.shares]
    inputs = Inputs(
        [images, *targets], faces.rows(TRAIN_SPLIT, keep), faces.rows(VALIDATION_SPLIT, keep)
    )
    counts = np.bincount(faces.labels[inputs.train], minlength=len(CLASSES))
    machine = prepare(train)
    model = build_classifier(classifier, images.shape[1:])
    train_and_save(
        name,
        model,
        Classification(model, train.classifier, machine),
        inputs,
        train.classifier,
        train,
        machine,
        identity=classifier.model_dump(),
        facts={"training_faces": dict(zip(CLASSES, counts.tolist(), strict=True))},
    )

"""Training a classifier: on upper halves, whole faces or stitched faces, by the same code."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unmask.core.faces import CLASSES, TRAIN, VALIDATION, FaceSet
from unmask.models.folder import build, classifier_config
from unmask.models.registry import load
from unmask.params.models import Named, Train
from unmask.training.run import Inputs, begin, load_pretrained, train_and_save

_OBJECTIVE = "cross_entropy"


def train_classifier(
    name: str,
    view: str,
    images: NDArray[np.uint8],
    faces: FaceSet,
    keep: NDArray[np.bool_],
    classifier: Named,
    train: Train,
    source: Mapping[str, Any],
) -> None:
    """Train on `images` and write what `train_and_save` writes.

    view: as in `ModelConfig`; images: uint8 [N,H,W] of that view, one for each of `faces`; keep:
    bool [N], which of those to learn from; source: where the faces come from. If the faces have
    soft labels, these are learned, and accuracy is of the labels.
    """
    arrays: dict[str, NDArray[Any]] = {
        "upper" if view == "upper" else "face": images,
        "label": faces.labels,
    }
    if faces.soft_labels is not None:
        arrays["soft_label"] = faces.soft_labels
    inputs = Inputs(arrays, faces.rows(TRAIN, keep), faces.rows(VALIDATION, keep))
    counts = np.bincount(faces.labels[inputs.train], minlength=len(CLASSES))
    objective = load("objectives", _OBJECTIVE)
    trained = {**source, "objective": {"name": _OBJECTIVE}}
    config = classifier_config(
        classifier.name, classifier.settings, view, images.shape[1:], trained
    )

    compute = begin(train)
    model = build(config)
    pretrained = load_pretrained(model)
    train_and_save(
        name,
        model,
        config,
        objective.build(model, objective.Params(view=view), train.classifier, compute),
        inputs,
        train.classifier,
        train,
        compute,
        facts={"training_faces": dict(zip(CLASSES, counts.tolist(), strict=True)), **pretrained},
    )

"""Small models of every architecture, and faces to show them."""

import numpy as np

from seen_faces import seen_faces
from unmask.models.folder import classifier_config, reconstructor_config, save_model
from unmask.models.registry import load

SHAPES = {"upper": (24, 48), "whole": (48, 48), "stitched mirror": (48, 48)}
SMALL = {
    "width": 2, "hidden": 8, "blocks": 1, "depth": 1, "filters": [4, 8], "dropout": 0.1,
    "dense_dropout": 0.1, "size": 75, "scale": 1,
}  # fmt: skip
PAPER_CNN = {
    "architecture": "paper_cnn",
    "settings": {key: SMALL[key] for key in ("filters", "hidden", "dropout", "dense_dropout")},
}
OWN = {
    "ensemble": {"members": [PAPER_CNN, PAPER_CNN]},
    "posterior_average": {
        "reconstructor": {"architecture": "mirror", "settings": {}},
        "classifier": PAPER_CNN,
        "samples": 1,
    },
    "flow": {"width": 8, "steps": 1},
}


def settings_of(family, name):
    """Settings as small as they go."""
    known = load(family, name).Params.model_fields
    return OWN.get(name) or {key: SMALL[key] for key in SMALL if key in known}


def save(folder, family, name, view="upper"):
    """Write a model that has seen a few faces, and return its folder."""
    settings = settings_of(family, name)
    if family == "classifiers":
        config = classifier_config(name, settings, view, SHAPES[view])
    else:
        config = reconstructor_config(name, settings)
    folder.mkdir(parents=True, exist_ok=True)
    save_model(seen_faces(config), config, folder)
    return folder


def faces(count, rows):
    """Pictures of noise, float [count,1,rows,48]: some of black and white, others of few greys."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (count, 1, rows, 48)) // random.integers(
        1, 9, (count, 1, 1, 1)
    )
    return pixels.astype(np.float32) / np.float32(255)

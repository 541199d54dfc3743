"""A small reader that was never trained, and a photo of nothing."""

import numpy as np
import torch

from unmask.models.folder import build, classifier_config, save_model

SHAPES = {"upper": (24, 48), "whole": (48, 48)}


def save_reader(folder, view="upper"):
    """Write a small classifier that sees `view`, and return its folder."""
    torch.manual_seed(0)
    settings = {"width": 4, "blocks": 1, "dropout": 0.0}
    config = classifier_config("resnet", settings, view, SHAPES.get(view, (48, 48)))
    folder.mkdir(parents=True, exist_ok=True)
    save_model(build(config), config, folder)
    return folder


def noise(side=300):
    """A photo without a face, uint8 [side,side,3]."""
    return np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)

"""A model that is no longer as it was built."""

import torch

from unmask.models.folder import build


def seen_faces(config):
    """Return a model in training mode that no longer is as it was built."""
    torch.manual_seed(1)
    model = build(config).train()
    images = torch.rand(4, *config.input_shape)
    if hasattr(model, "observe"):
        model.observe(images, images.flip(3))
    with torch.no_grad():
        model(images)  # batch normalisation moves its running statistics
    return model

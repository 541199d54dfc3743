"""A stage that does no more than to read a checkpoint into the smallest of modules."""

import _source  # noqa: F401

from torch import nn
from torchvision.models import ResNet50_Weights

from unmask.core import stage
from unmask.models.pretrained import load_pretrained


def main(path: str) -> None:
    """Read it as a pretrained encoder's weights are read."""
    load_pretrained(nn.Linear(3, 2), path, ResNet50_Weights.IMAGENET1K_V2)


if __name__ == "__main__":
    stage.run(main)

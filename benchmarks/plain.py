"""The usual way to train in PyTorch: a Dataset of single images, transforms, a DataLoader."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms
from torchvision.transforms import InterpolationMode

from unmask.params.models import Training

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Images(Dataset[tuple[Tensor, int]]):
    """Faces, uint8 [N,48,48], each transformed on its own, and their labels."""

    def __init__(
        self, images: NDArray[np.uint8], labels: NDArray[np.uint8], transform: nn.Module
    ) -> None:
        self._images, self._labels, self._transform = images, labels, transform

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self._transform(self._images[index]), int(self._labels[index])


def loaders(
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    rows: tuple[NDArray[np.int64], NDArray[np.int64]],
    settings: Training,
    workers: int,
) -> tuple[DataLoader[tuple[Tensor, Tensor]], DataLoader[tuple[Tensor, Tensor]]]:
    """Return the loaders of training and validation rows; training faces are augmented."""
    augmentation: list[object] = []
    if settings.flip:
        augmentation.append(transforms.RandomHorizontalFlip(settings.flip))
    if settings.rotation or settings.shift:
        shift = settings.shift / images.shape[2], settings.shift / images.shape[1]
        augmentation.append(
            transforms.RandomAffine(
                settings.rotation, translate=shift, interpolation=InterpolationMode.BILINEAR
            )
        )
    train, validation = (
        transforms.Compose([transforms.ToPILImage(), *steps, transforms.ToTensor()])
        for steps in (augmentation, [])
    )
    keep = {"num_workers": workers, "persistent_workers": workers > 0}
    size = settings.batch_size
    return (
        DataLoader(Images(images[rows[0]], labels[rows[0]], train), size, shuffle=True, **keep),
        DataLoader(Images(images[rows[1]], labels[rows[1]], validation), size, **keep),
    )

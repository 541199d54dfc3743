"""Train the detector of masks.

    python -m unmask.photos.mask_training FER2013_CSV [FACES]

On training faces of FER2013 whose landmarks are found, bare and with masks drawn on; takes a
quarter of an hour on one core and writes mask_detector.safetensors beside this file.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from unmask.cli.command import one_line
from unmask.core.faces import SIZE, TRAIN
from unmask.core.progress import track
from unmask.models.folder import save_tensors
from unmask.photos.alignment import FaceMesh
from unmask.photos.drawn_mask import draw, random_style
from unmask.photos.mask_detector import WEIGHTS, MaskDetector
from unmask.photos.mesh import Landmarks
from unmask.photos.placement import frame, place

_FACES = 12_000
_HELD_OUT = 0.1
_MASKS = 3  # drawn on each face, in different styles
_TIMES = 2  # faces are enlarged so much
_EPOCHS, _BATCH_SIZE, _RATE = 12, 128, 3e-3

Pixels = NDArray[np.uint8]


def main(source: str, faces: str = str(_FACES)) -> None:
    """Train on some of the training faces; say how many of the held-out ones are read rightly."""
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    chosen = _training_faces(Path(source), random, int(faces))
    first_held_out = round(len(chosen) * (1 - _HELD_OUT))
    images, masked = _pairs(chosen, random)
    known = torch.from_numpy(np.arange(len(images)) // (1 + _MASKS) < first_held_out)
    model = train(images[known], masked[known])
    with torch.inference_mode():
        right = ((model(images[~known].float() / 255) > 0) == masked[~known]).float()
    bare = ~masked[~known]
    print(f"held out: bare {right[bare].mean():.3f}, drawn {right[~bare].mean():.3f} rightly read")
    save_tensors(WEIGHTS, model.state_dict(), {"faces": str(len(chosen))})


def train(images: Tensor, masked: Tensor) -> MaskDetector:
    """Return a detector trained on faces, uint8 [N,1,48,48], with and without masks, bool [N]."""
    model = MaskDetector()
    # A bare face counts as much as all masks drawn on it.
    balance = torch.tensor(1 / _MASKS)
    steps = _EPOCHS * -(-len(images) // _BATCH_SIZE)
    optimiser = torch.optim.AdamW(model.parameters(), lr=_RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=_RATE, total_steps=steps)
    for rows in track(_batches(len(images)), steps, "mask detector"):
        faces = _degraded(images[rows].float() / 255)
        loss = functional.binary_cross_entropy_with_logits(
            model(faces), masked[rows].float(), pos_weight=balance
        )
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return model.eval()


def _batches(count: int) -> Iterator[Tensor]:
    for _ in range(_EPOCHS):
        yield from torch.randperm(count).split(_BATCH_SIZE)


def _degraded(faces: Tensor) -> Tensor:
    """Mirror half of a batch, blur half of it as small faces are blurred, and add noise."""
    faces = torch.where(torch.rand(len(faces), 1, 1, 1) < 0.5, faces.flip(3), faces)
    small = functional.interpolate(faces, scale_factor=0.5, mode="area")
    blurred = functional.interpolate(small, scale_factor=2, mode="bilinear")
    faces = torch.where(torch.rand(len(faces), 1, 1, 1) < 0.5, blurred, faces)
    return faces + torch.randn_like(faces) * torch.rand(len(faces), 1, 1, 1) * 0.05


def _training_faces(
    source: Path, random: np.random.Generator, count: int
) -> list[tuple[Image.Image, Landmarks]]:
    """Return faces, enlarged, and their landmarks; those that are not found are left out."""
    from unmask.sources import archive, fer2013_csv

    table = archive.csv_files(source)[0]
    images = np.concatenate(
        [block.images[block.split == TRAIN] for block in fer2013_csv.read(table)]
    )
    rows = random.permutation(len(images))[:count]
    find = FaceMesh()
    found = []
    for row in track(rows, len(rows), "landmarks"):
        if seen := find(images[row]).landmarks:
            face = Image.fromarray(images[row])
            larger = face.resize((_TIMES * SIZE, _TIMES * SIZE), Image.Resampling.BICUBIC)
            found.append((larger, replace(seen, points=_TIMES * seen.points)))
    return found


def _pairs(
    faces: list[tuple[Image.Image, Landmarks]], random: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Return each face bare and with masks, uint8 [N,1,48,48], and whether it is masked."""
    images = []
    for face, landmarks in track(faces, len(faces), "masks"):
        pixels = np.asarray(face)
        drawn = [draw(pixels, landmarks.points, random_style(random)) for _ in range(_MASKS)]
        images += [_placed(picture, landmarks.eyes, random) for picture in (pixels, *drawn)]
    masked = np.tile(np.arange(1 + _MASKS) > 0, len(faces))
    return torch.from_numpy(np.stack(images)[:, np.newaxis]), torch.from_numpy(masked)


def _placed(pixels: Pixels, eyes: NDArray[np.float64], random: np.random.Generator) -> Pixels:
    """Return a face in its place, as well as eyes are found behind a mask."""
    distance = float(np.linalg.norm(eyes[1] - eyes[0]))
    unsure = eyes[:, :2] + random.normal(0, 0.06 * distance, (2, 2))
    return place(Image.fromarray(pixels), frame(unsure, distance * random.uniform(0.85, 1.15)))


if __name__ == "__main__":
    one_line(main)(*sys.argv[1:])

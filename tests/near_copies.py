"""Changes that leave a picture the same to a person."""

import io

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

KINDS = ("shift", "rescale", "jpeg", "contrast", "all")


def alter(picture, kind, random):
    """Return a picture, uint8 [48,48], shifted, rescaled, encoded anew or changed in contrast.

    Shifts go up to 3 pixels, scales from 0.88 to 1.12, JPEG quality from 25 to 60, gamma from
    0.7 to 1.5 with a contrast from 0.6 to 1.2; `all` is a little of each.
    """
    mild = 0.5 if kind == "all" else 1
    if kind in ("shift", "rescale", "all"):
        shift = mild * random.uniform(-3, 3, 2) if kind != "rescale" else (0, 0)
        scale = 1 + mild * random.choice([-1, 1]) * random.uniform(0.06, 0.12)
        picture = _move(picture, *shift, 1 if kind == "shift" else scale)
    if kind in ("contrast", "all"):
        gamma, contrast = random.uniform(0.7, 1.5), random.uniform(0.6, 1.2)
        values = contrast * ((picture / 255) ** gamma - 0.5) + 0.5
        picture = (255 * values.clip(0, 1)).round().astype(np.uint8)
    if kind in ("jpeg", "all"):
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=int(random.integers(25, 60)))
        picture = np.array(Image.open(file))
    return picture


def _move(picture, right, down, scale):
    back = [[1 / scale, 0, -right / 24 / scale], [0, 1 / scale, -down / 24 / scale]]
    grid = functional.affine_grid(
        torch.tensor([back], dtype=torch.float32), [1, 1, 48, 48], align_corners=False
    )
    pixels = torch.from_numpy(picture).float()[None, None]
    moved = functional.grid_sample(
        pixels, grid, mode="bicubic", padding_mode="border", align_corners=False
    )
    return moved[0, 0].round().clamp(0, 255).to(torch.uint8).numpy()

"""Augmentation: alike for all images of a face, and independent of the batch."""

import numpy as np
import pytest
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional

from unmask.mask import view_of
from unmask.params.training import Training
from unmask.training.augmentation import augment, move


def settings(**changes):
    values = {"epochs": 1, "patience": 1, "batch_size": 8, "learning_rate": 0.1}
    values |= {"schedule": "constant", "gradient_clip": None}
    return Training.model_validate(values | {"flip": 0.0, "rotation": 0.0, "shift": 0.0} | changes)


def batch(rows):
    images = torch.arange(len(rows) * 24 * 48, dtype=torch.int64).remainder(251).to(torch.uint8)
    return {"upper": images.view(-1, 1, 24, 48), "label": torch.from_numpy(rows)}


def flipped(rows, seed=1, epoch=0, flip=0.5):
    before = batch(rows)
    after = augment(before, rows, seed, epoch, settings(flip=flip))
    pairs = list(zip(after["upper"], before["upper"], strict=True))
    mirrored = [bool(torch.equal(image, original.flip(-1))) for image, original in pairs]
    unchanged = [bool(torch.equal(image, original)) for image, original in pairs]
    assert all(m != u for m, u in zip(mirrored, unchanged, strict=True))
    return np.array(mirrored)


def smooth_faces(count, seed=0):
    """Return faces without edges, on which two ways to interpolate agree."""
    coarse = torch.rand(count, 1, 6, 6, generator=torch.Generator().manual_seed(seed))
    fine = torch.nn.functional.interpolate(coarse, (48, 48), mode="bicubic")
    return fine.clamp(0, 1).mul(255).to(torch.uint8)


def test_about_the_wanted_share_is_mirrored():
    rows = np.arange(2000)
    assert abs(flipped(rows).mean() - 0.5) < 0.05
    assert abs(flipped(rows, flip=0.1).mean() - 0.1) < 0.03
    assert not flipped(rows, flip=0.0).any()
    assert flipped(rows, flip=1.0).all()


@pytest.mark.parametrize("changes", [{"flip": 0.5}, {"rotation": 20.0}, {"shift": 4.0}])
def test_what_happens_to_a_face_does_not_depend_on_its_batch(changes):
    faces, rows = smooth_faces(100), np.arange(100)

    def augmented(rows, seed=1, epoch=0):
        return augment({"face": faces[rows]}, rows, seed, epoch, settings(**changes))["face"]

    assert torch.equal(augmented(rows)[40:50], augmented(rows[40:50]))
    assert not torch.equal(augmented(rows, epoch=1), augmented(rows))
    assert not torch.equal(augmented(rows, seed=2), augmented(rows))


def test_all_images_of_a_face_are_treated_alike():
    rows = np.arange(50)
    before = batch(rows)
    before |= {"lower": before["upper"] + 1, "soft_label": torch.rand(50, 7)}
    after = augment(before, rows, 1, 0, settings(flip=0.5))
    assert not torch.equal(after["upper"], before["upper"])
    assert torch.equal(after["upper"] + 1, after["lower"])
    for name in ("label", "soft_label"):
        assert torch.equal(after[name], before[name])


def test_two_halves_are_moved_as_one_face():
    faces, rows = smooth_faces(20), np.arange(20)
    changes = settings(flip=0.5, rotation=15.0, shift=3.0)
    whole = augment({"face": faces}, rows, 1, 0, changes)["face"]
    halves = augment({"lower": faces[:, :, 24:], "upper": faces[:, :, :24]}, rows, 1, 0, changes)
    assert torch.equal(halves["upper"], whole[:, :, :24])
    assert torch.equal(halves["lower"], whole[:, :, 24:])
    assert not torch.equal(whole, faces)


def test_every_view_of_a_face_is_of_the_same_moved_face():
    faces, rows = smooth_faces(20), np.arange(20)
    changes = settings(flip=0.5, rotation=15.0, shift=3.0)
    labels = torch.arange(20)
    moved = augment({"face": faces, "label": labels}, rows, 1, 0, changes)
    assert torch.equal(view_of(moved, "whole"), moved["face"])
    assert torch.equal(view_of(moved, "upper"), moved["face"][:, :, :24])
    assert not torch.equal(view_of(moved, "upper"), faces[:, :, :24])
    # A half that is moved alone turns about its own centre, not that of the face.
    alone = augment({"upper": faces[:, :, :24]}, rows, 1, 0, changes)
    assert not torch.equal(view_of(moved, "upper"), view_of(alone, "upper"))


@pytest.mark.parametrize("half", ["upper", "lower"])
@pytest.mark.parametrize("flip", [0.0, 0.5])
def test_a_face_beside_its_own_half_is_refused(half, flip):
    faces = smooth_faces(2)
    with pytest.raises(ValueError, match=f"a batch of face, {half}"):
        augment({half: faces[:, :, :24], "face": faces}, np.arange(2), 1, 0, settings(flip=flip))


@pytest.mark.parametrize(
    ("angle", "right", "down"), [(0, 3, 0), (0, 0, -2), (20, 0, 0), (-7.5, 2, 1.5)]
)
def test_faces_are_moved_as_torchvision_moves_them(angle, right, down):
    faces = smooth_faces(5)
    moved = move(faces, *(torch.full((5,), float(value)) for value in (angle, right, down)))
    expected = functional.affine(
        faces.float(),
        angle=angle,
        translate=[right, down],
        scale=1.0,
        shear=[0.0, 0.0],
        interpolation=InterpolationMode.BILINEAR,
    )
    inner = (..., slice(12, 36), slice(12, 36))  # torchvision paints black what comes from outside
    assert (moved[inner].float() - expected[inner]).abs().max() <= 1


def test_no_face_is_moved_farther_than_said():
    columns = torch.arange(48, dtype=torch.uint8).mul(5).expand(400, 1, 48, 48)
    shifted = augment({"face": columns}, np.arange(400), 1, 0, settings(shift=2.0))
    pixels = (shifted["face"][:, 0, 24, 24].float() - 24 * 5).abs() / 5
    assert 1.8 < pixels.max() <= 2.1

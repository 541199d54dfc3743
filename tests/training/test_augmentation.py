"""Augmentation: alike for all images of a face, and independent of the batch."""

import numpy as np
import pytest
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional

from unmask.core.mask import view_of
from unmask.params.models import Training
from unmask.training.augmentation import alter, augment, draw, erase, mix, move, partners, tone


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


@pytest.mark.parametrize("size", [0.8, 1.25])
def test_faces_are_enlarged_as_torchvision_enlarges_them(size):
    faces = smooth_faces(5)
    angle, right, down = (torch.full((5,), value) for value in (12.0, 2.0, -1.0))
    moved = move(faces, angle, right, down, torch.full((5,), size))
    expected = functional.affine(
        faces.float(), angle=12.0, translate=[2, -1], scale=size, shear=[0.0, 0.0],
        interpolation=InterpolationMode.BILINEAR,
    )  # fmt: skip
    inner = (..., slice(14, 34), slice(14, 34))
    assert (moved[inner].float() - expected[inner]).abs().max() <= 1


@pytest.mark.parametrize("factor", [0.7, 1.3])
def test_brightness_and_contrast_are_those_of_torchvision(factor):
    faces, factors = smooth_faces(5), torch.full((5,), factor)
    same = torch.ones(5)
    for found, expected in (
        (tone(faces, factors, same), functional.adjust_brightness(faces, factor)),
        (tone(faces, same, factors), functional.adjust_contrast(faces, factor)),
    ):
        assert not torch.equal(found, faces)
        # torchvision rounds down, and takes the mean of a rounded grey picture.
        assert (found.int() - expected.int()).abs().max() <= 2


def test_tones_are_drawn_within_what_was_said():
    faces = torch.full((2000, 1, 48, 48), 100, dtype=torch.uint8)
    after = augment({"face": faces}, np.arange(2000), 1, 0, settings(brightness=0.2))["face"]
    values = after[:, 0, 0, 0].float()
    assert 80 <= values.min() < 82
    assert 118 < values.max() <= 120
    draws = draw(np.arange(2000), 1, 0, settings(scale=0.3))[:, -1]
    assert 0.7 <= draws.min() < 0.71
    assert 1.29 < draws.max() <= 1.3


@pytest.mark.parametrize("height", [48, 24])
def test_the_wanted_share_of_faces_loses_a_rectangle_of_the_published_size(height):
    faces = torch.full((4000, 1, height, 48), 7, dtype=torch.uint8)
    rows, changes = np.arange(4000), settings(erasing=0.6)
    erased = augment({"face": faces}, rows, 1, 0, changes)["face"][:, 0] != 7
    shares = erased.float().mean(dim=(1, 2))
    some = shares > 0
    assert some.float().mean() == pytest.approx(0.6, abs=0.03)
    assert shares[some].min() > 0.01
    assert shares.max() < 0.43
    assert shares[some].mean() == pytest.approx(0.21, abs=0.03)
    # No side is preferred, and what is erased is a rectangle of one grey value.
    often = erased.float().mean(dim=0)
    for sides in ([0], [1]):
        assert (often - often.flip(sides)).abs().max() < 0.05
    assert torch.equal(erased, erased.any(dim=1, keepdim=True) & erased.any(dim=2, keepdim=True))
    after = augment({"face": faces}, rows, 1, 0, changes)["face"][:, 0]
    assert all(len(after[i][erased[i]].unique()) <= 1 for i in range(100))


def test_a_rectangle_that_does_not_fit_is_cut():
    faces = torch.zeros(1, 1, 24, 48, dtype=torch.uint8)
    area, aspect, place, grey = (torch.tensor([v]) for v in (0.4, 3.0, 0.9999999, 255.0))
    erased = erase(faces, area, aspect, place, place, grey)[0, 0] == 255
    assert erased.any(dim=1).all()
    assert erased[:, -1].all()
    assert not erased[:, 0].any()


def two(rows, mixup=0.4, epoch=0):
    """Return faces, each of whose pixels is its row, mixed with partners among 200."""
    changes = settings(mixup=mixup)
    pairs = np.stack([rows, partners(np.arange(200), 1, epoch)[rows]], axis=1)
    draws = draw(pairs, 1, epoch, changes).transpose(0, 1).flatten(0, 1)
    flat = torch.from_numpy(pairs.T.flatten())
    faces = flat.to(torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 48, 48)
    batch = alter({"face": faces, "label": (flat % 7).to(torch.uint8)}, draws, changes)
    return mix(batch, draws, changes), pairs, draws[: len(rows), -1]


def test_faces_and_labels_are_mixed_in_the_same_shares():
    mixed, pairs, share = two(np.arange(200))
    first, second = torch.from_numpy(pairs.T)
    expected = (share * first + (1 - share) * second).round()
    assert torch.equal(mixed["face"][:, 0, 5, 9].float(), expected)
    hot = functional_one_hot(first % 7), functional_one_hot(second % 7)
    weight = share.unsqueeze(1)
    torch.testing.assert_close(mixed["soft_label"], weight * hot[0] + (1 - weight) * hot[1])
    assert torch.equal(mixed["label"].long(), torch.where(share < 0.5, second, first) % 7)
    assert (first != second).float().mean() > 0.95


def functional_one_hot(labels):
    return torch.nn.functional.one_hot(labels, 7).float()


def test_soft_labels_are_mixed_as_they_are():
    changes = settings(mixup=1.0)
    draws = draw(np.arange(6), 1, 0, changes)
    soft = torch.rand(6, 7)
    batch = {"face": torch.zeros(6, 1, 48, 48, dtype=torch.uint8), "soft_label": soft,
             "label": torch.zeros(6, dtype=torch.uint8), "fold": torch.arange(6)}  # fmt: skip
    mixed = mix(batch, draws, changes)
    share = draws[:3, -1:]
    torch.testing.assert_close(mixed["soft_label"], share * soft[:3] + (1 - share) * soft[3:])
    assert mixed["fold"].tolist() == [0, 1, 2]


def test_what_a_face_is_mixed_with_does_not_depend_on_its_batch():
    mixed, part = two(np.arange(200))[0], two(np.arange(40, 50))[0]
    for name, values in part.items():
        assert torch.equal(mixed[name][40:50], values)
    assert not torch.equal(two(np.arange(200), epoch=1)[0]["face"], mixed["face"])


@pytest.mark.parametrize("parameter", [0.2, 1.0])
def test_shares_have_a_beta_distribution(parameter):
    share = draw(np.arange(20000), 1, 0, settings(mixup=parameter))[:, -1]
    assert share.mean() == pytest.approx(0.5, abs=0.01)
    assert share.var() == pytest.approx(1 / (4 * (2 * parameter + 1)), abs=0.005)


def test_no_face_is_moved_farther_than_said():
    columns = torch.arange(48, dtype=torch.uint8).mul(5).expand(400, 1, 48, 48)
    shifted = augment({"face": columns}, np.arange(400), 1, 0, settings(shift=2.0))
    pixels = (shifted["face"][:, 0, 24, 24].float() - 24 * 5).abs() / 5
    assert 1.8 < pixels.max() <= 2.1

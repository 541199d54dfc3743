"""Augmentation: alike for all images of a face, and independent of the batch."""

import numpy as np
import torch

from unmask.training.augmentation import augment


def batch(rows):
    images = torch.arange(len(rows) * 24 * 48, dtype=torch.int64).remainder(251).to(torch.uint8)
    return [images.view(-1, 1, 24, 48), torch.from_numpy(rows)]


def flipped(rows, seed=1, epoch=0, flip=0.5):
    tensors = batch(rows)
    images, _ = augment(tensors, rows, seed, epoch, flip)
    mirrored = [bool(torch.equal(i, o.flip(-1))) for i, o in zip(images, tensors[0], strict=True)]
    unchanged = [bool(torch.equal(i, o)) for i, o in zip(images, tensors[0], strict=True)]
    assert all(m != u for m, u in zip(mirrored, unchanged, strict=True))
    return np.array(mirrored)


def test_about_the_wanted_share_is_mirrored():
    rows = np.arange(2000)
    assert abs(flipped(rows).mean() - 0.5) < 0.05
    assert abs(flipped(rows, flip=0.1).mean() - 0.1) < 0.03
    assert not flipped(rows, flip=0.0).any()
    assert flipped(rows, flip=1.0).all()


def test_what_happens_to_a_face_does_not_depend_on_its_batch():
    rows = np.arange(100)
    np.testing.assert_array_equal(flipped(rows)[40:50], flipped(rows[40:50]))
    assert (flipped(rows, epoch=1) != flipped(rows)).any()
    assert (flipped(rows, seed=2) != flipped(rows)).any()


def test_all_images_of_a_face_are_treated_alike():
    rows = np.arange(50)
    images, labels = batch(rows)
    first, second, same = augment([images, images + 1, labels], rows, 1, 0, 0.5)
    assert torch.equal(first + 1, second)
    assert torch.equal(same, labels)

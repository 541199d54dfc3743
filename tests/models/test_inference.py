"""Running a classifier over rows of an array, on faces as they are and on versions of them."""

import numpy as np
import pytest
import torch
from torch import nn

from unmask.models.inference import probabilities


@pytest.fixture
def classifier():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 7, 5), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (12, 24, 48), dtype=np.uint8)


ROWS = np.array([11, 0, 5])


def plain(model, images):
    with torch.no_grad():
        return model(torch.from_numpy(images).unsqueeze(1) / 255).softmax(1).numpy()


def test_faces_are_judged_as_they_are(classifier, images):
    found = probabilities(classifier, images, ROWS)
    np.testing.assert_allclose(found, plain(classifier, images[ROWS]), atol=1e-6)


def shifted(images, down, right):
    """Return images moved by at most one pixel, with their border repeated."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)), mode="edge")
    return padded[:, 1 - down : 25 - down, 1 - right : 49 - right]


def test_or_by_the_mean_over_mirrored_and_shifted_versions(classifier, images):
    found = probabilities(classifier, images, ROWS, augment=True)
    versions = [
        shifted(faces, *by)
        for faces in (images[ROWS], images[ROWS][:, :, ::-1].copy())
        for by in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))
    ]
    expected = np.mean([plain(classifier, version) for version in versions], axis=0)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.abs(found - plain(classifier, images[ROWS])).max() > 1e-4


def test_a_mirrored_face_is_then_judged_like_the_face(classifier, images):
    mirrored = images[:, :, ::-1].copy()
    found, other = (
        probabilities(classifier, faces, ROWS, augment=True) for faces in (images, mirrored)
    )
    np.testing.assert_allclose(found, other, atol=1e-6)

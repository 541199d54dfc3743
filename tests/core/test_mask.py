"""Crop and stitch."""

import numpy as np

from unmask.core.mask import crop, stitch


def test_crop_and_stitch_are_inverse():
    faces = np.random.default_rng(0).integers(0, 256, (5, 48, 48), dtype=np.uint8)
    upper, lower = crop(faces)
    assert upper.shape == lower.shape == (5, 24, 48)
    np.testing.assert_array_equal(stitch(upper, lower), faces)


def test_the_upper_half_is_what_stands_above():
    faces = np.zeros((1, 48, 48), np.uint8)
    faces[:, :24] = 1
    upper, lower = crop(faces)
    assert upper.all()
    assert not lower.any()

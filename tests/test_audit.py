"""The audit: what it counts, what it removes, and why."""

import numpy as np
import pytest

from unmask.audit import audit
from unmask.core.errors import UserError
from unmask.core.faces import TEST, TRAIN, VALIDATION, FaceSet


@pytest.fixture
def planted():
    """Twelve faces, four in each split, with copies planted: see the comments."""
    images = np.random.default_rng(0).integers(0, 256, (12, 48, 48), dtype=np.uint8)
    split = np.repeat(np.array([TRAIN, VALIDATION, TEST], np.uint8), 4)
    labels = np.zeros(12, np.uint8)
    images[1] = images[0]  # within training, same label
    images[8] = images[2]  # training and test, other label
    labels[8] = 3
    images[3] = images[4]  # training, validation ...
    images[9] = images[4]  # ... and test
    images[6] = 7  # constant, validation
    images[11] = 9  # constant, test
    return FaceSet(images, labels, split, np.arange(12) + 2)


def test_counts(planted):
    assert audit(planted).figures == {
        "rows": 12,
        "kept": 8,
        "exact_duplicate_groups": 3,
        "exact_duplicate_images": 7,
        "cross_split_groups": 2,
        "test_twins_in_train": 2,
        "validation_twins_in_train": 1,
        "conflicting_label_groups": 1,
        "constant_images": 2,
    }


def test_a_face_with_a_copy_in_a_later_split_is_removed(planted):
    found = audit(planted)
    assert np.flatnonzero(~found.keep).tolist() == [2, 3, 4, 6]
    assert [(r.index, r.reason, r.twin) for r in found.removals] == [
        (2, "copy in test", 8),
        (3, "copy in test", 9),
        (4, "copy in test", 9),
        (6, "constant image", -1),
    ]


def test_test_faces_all_stay(planted):
    assert audit(planted).keep[planted.split == TEST].all()


def test_splits_that_are_copies_of_each_other_are_refused(planted):
    images = np.concatenate([planted.images[8:]] * 3)
    copied = FaceSet(images, planted.labels, planted.split, planted.row)
    with pytest.raises(UserError, match="no train face is left"):
        audit(copied)


def test_labels_decide_nothing(planted):
    shuffled = FaceSet(planted.images, planted.labels[::-1], planted.split, planted.row)
    np.testing.assert_array_equal(audit(shuffled).keep, audit(planted).keep)


def test_exact_copies_agree_with_numpy_unique():
    images = np.random.default_rng(1).integers(0, 2, (300, 48, 48), dtype=np.uint8) * 0
    images[:, 0, 0] = np.random.default_rng(2).integers(0, 100, 300)
    images[-1, 0, 0] = 200  # one face that is no copy, for validation
    split = np.array([TRAIN] * 299 + [VALIDATION], np.uint8)
    faces = FaceSet(images, np.zeros(300, np.uint8), split, np.arange(300))
    _, counts = np.unique(images.reshape(300, -1), axis=0, return_counts=True)
    figures = audit(faces).figures
    assert figures["exact_duplicate_groups"] == (counts > 1).sum()
    assert figures["exact_duplicate_images"] == counts[counts > 1].sum()

"""Folds: no group of copies is torn, and all folds are alike."""

import numpy as np
import pytest

from near_copies import KINDS, alter
from unmask.audit.audit import audit
from unmask.core.faces import TEST, TRAIN, VALIDATION, FaceSet
from unmask.params.data import AuditParams
from unmask.training.cross_fitting import NO_FOLD, draw_folds

FOLDS = 3


@pytest.fixture(scope="module")
def planted():
    """120 training pictures with near-copies of 30, a copy of a copy, and exact copies of 20."""
    random = np.random.default_rng(0)
    coarse = random.normal(size=(210, 7, 7))
    across = np.array([np.interp(np.linspace(0, 6, 48), np.arange(7), row) for row in np.eye(7)])
    smooth = np.einsum("nij,ih,jw->nhw", coarse, across, across)
    low, high = smooth.min((1, 2), keepdims=True), smooth.max((1, 2), keepdims=True)
    pictures = (255 * (smooth - low) / (high - low)).round().astype(np.uint8)
    copies = [alter(pictures[at], KINDS[at % len(KINDS)], random) for at in range(30)]
    again = [alter(pictures[0], "jpeg", random), pictures[30], *pictures[30:50]]
    images = np.concatenate([pictures[:120], copies, again, pictures[120:]])
    same = np.concatenate([np.arange(120), np.arange(30), [0, 30], np.arange(30, 50)])
    split = np.repeat(np.array([TRAIN, VALIDATION, TEST], np.uint8), [len(same), 45, 45])
    labels = random.integers(0, 7, len(images)).astype(np.uint8)
    found = audit(
        FaceSet(images, labels, split, np.arange(len(images))),
        AuditParams(remove="near", similarity=0.9, flat=0.65),
    )
    return found.groups, labels, np.arange(len(same)), same


def test_the_audit_finds_the_planted_copies(planted):
    groups, _, rows, same = planted
    together = [groups[rows[same == picture]] for picture in range(50)]
    torn = [picture for picture, found in enumerate(together) if len(set(found)) > 1]
    assert len(torn) <= 2  # near-copies that are too unlike


@pytest.mark.parametrize("seed", range(5))
def test_no_group_of_copies_is_torn(planted, seed):
    groups, labels, rows, _ = planted
    fold = draw_folds(groups, labels, rows, FOLDS, seed)
    of_group = {}
    for row in rows:
        of_group.setdefault(int(groups[row]), set()).add(int(fold[row]))
    assert {len(folds) for folds in of_group.values()} == {1}
    assert any((groups == group).sum() > 2 for group in of_group)
    assert sorted(set(fold[rows])) == list(range(FOLDS))
    assert (np.delete(fold, rows) == NO_FOLD).all()


def test_folds_have_as_many_faces_of_each_class():
    labels = np.random.default_rng(0).choice(7, 1000, p=[0.4, 0.01, *[0.118] * 5]).astype(np.uint8)
    fold = draw_folds(np.arange(1000), labels, np.arange(1000), FOLDS, 1)
    counts = np.array([np.bincount(labels[fold == number], minlength=7) for number in range(FOLDS)])
    assert np.ptp(counts, axis=0).max() <= 1
    assert np.ptp(counts.sum(axis=1)) <= 1


def test_folds_are_drawn_from_the_seed():
    arrays = np.arange(300), np.arange(300).astype(np.uint8) % 7, np.arange(0, 300, 2)
    first, again, other = (draw_folds(*arrays, FOLDS, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other)[::2].mean() > 0.4

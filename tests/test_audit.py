"""The audit: what it counts, what it removes, and why."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from near_copies import KINDS, alter
from unmask.audit import audit as module
from unmask.audit.near_duplicates import near_duplicates
from unmask.audit.tables import write_manifest, write_pairs, write_removals
from unmask.core.errors import UserError
from unmask.core.faces import TEST, TRAIN, VALIDATION, FaceBlock, FaceSet, FaceSetWriter
from unmask.params.data import AuditParams
from unmask.pictures import save_pairs

STAGE = Path(__file__).resolve().parents[1] / "stages/audit.py"


def audit(faces, remove="exact"):
    return module.audit(faces, AuditParams(remove=remove, similarity=0.9, flat=0.65))


@pytest.fixture
def with_copies():
    """Twelve faces, four in each split, some of them copies: see the comments."""
    images = np.random.default_rng(0).integers(0, 256, (12, 48, 48), dtype=np.uint8)
    split = np.repeat(np.array([TRAIN, VALIDATION, TEST], np.uint8), 4)
    labels = np.zeros(12, np.uint8)
    images[1] = images[0]  # within training, same label
    images[8] = images[2]  # training and test, other label
    labels[8] = 3
    images[3] = images[4]  # training, validation ...
    images[9] = images[4]  # ... and test
    images[6] = 7  # blank, validation
    images[11] = 9  # blank, test
    return FaceSet(images, labels, split, np.arange(12) + 2)


def test_counts(with_copies):
    figures = audit(with_copies).figures
    assert figures.pop("classes")["test"] == {
        "angry": 3, "disgust": 0, "fear": 0, "happy": 1, "sad": 0, "surprise": 0, "neutral": 0,
    }  # fmt: skip
    assert figures == {
        "rows": 12,
        "kept": 8,
        "exact_duplicate_groups": 3,
        "exact_duplicate_images": 7,
        "cross_split_groups": 2,
        "test_duplicates_in_train": 2,
        "validation_duplicates_in_train": 1,
        "conflicting_label_groups": 1,
        "flat_images": 2,
        "near_duplicates": None,
    }


def test_a_face_with_a_copy_in_a_later_split_is_removed(with_copies):
    found = audit(with_copies)
    assert np.flatnonzero(~found.keep).tolist() == [2, 3, 4, 6]
    assert [(r.index, r.reason, r.duplicate_of) for r in found.removals] == [
        (2, "copy in test", 8),
        (3, "copy in test", 9),
        (4, "copy in test", 9),
        (6, "flat image", -1),
    ]


def test_pictures_that_show_no_face_are_told_from_copies(with_copies):
    images = with_copies.images.copy()
    images[6] = images[11]  # both blank, and a copy in test
    found = audit(FaceSet(images, with_copies.labels, with_copies.split, with_copies.row))
    assert np.flatnonzero(found.flat).tolist() == [6, 11]
    assert {r.reason for r in found.removals} == {"copy in test"}


def test_faces_of_one_group_are_copies_within_a_split_and_across(with_copies):
    assert audit(with_copies).groups.tolist() == [0, 0, 2, 3, 3, 5, 6, 7, 2, 3, 10, 11]
    assert audit(with_copies, "none").groups.tolist() == audit(with_copies).groups.tolist()


def test_test_faces_all_stay(with_copies):
    assert audit(with_copies).keep[with_copies.split == TEST].all()


def test_splits_that_are_copies_of_each_other_are_refused(with_copies):
    images = np.concatenate([with_copies.images[8:]] * 3)
    copied = FaceSet(images, with_copies.labels, with_copies.split, with_copies.row)
    with pytest.raises(UserError, match="no train face is left"):
        audit(copied)


@pytest.mark.parametrize(("row", "remove"), [(2, "exact"), (6, "none")])
def test_a_class_that_loses_all_its_training_faces_is_refused(with_copies, row, remove):
    with_copies.split[6] = TRAIN  # blank
    with_copies.labels[row] = 1
    with pytest.raises(UserError, match="no training face of the class disgust is left") as refused:
        audit(with_copies, remove)
    assert "; use a source with others, or change audit.remove or audit.flat" in str(refused.value)


def test_labels_decide_nothing(with_copies):
    shuffled = FaceSet(
        with_copies.images, np.roll(with_copies.labels, 4), with_copies.split, with_copies.row
    )
    np.testing.assert_array_equal(audit(shuffled).keep, audit(with_copies).keep)


def test_exact_copies_agree_with_numpy_unique():
    picture = np.random.default_rng(1).integers(0, 256, (48, 48), dtype=np.uint8)
    images = np.tile(picture, (300, 1, 1))
    images[:, 0, 0] = np.random.default_rng(2).integers(0, 100, 300)
    images[-1, 0, 0] = 200  # one face that is no copy, for validation
    split = np.array([TRAIN] * 299 + [VALIDATION], np.uint8)
    faces = FaceSet(images, np.zeros(300, np.uint8), split, np.arange(300))
    _, counts = np.unique(images.reshape(300, -1), axis=0, return_counts=True)
    figures = audit(faces).figures
    assert figures["exact_duplicate_groups"] == (counts > 1).sum()
    assert figures["exact_duplicate_images"] == counts[counts > 1].sum()


def test_copies_can_be_left_in(with_copies):
    assert [r.reason for r in audit(with_copies, "none").removals] == ["flat image"]


@pytest.fixture(scope="module")
def pictures():
    """Pictures that are smooth, as photographs are, and differ from each other."""
    random = np.random.default_rng(0)
    coarse = random.normal(size=(400, 9, 9))
    rows = np.array([np.convolve(row, [1, 2, 1], "same") for row in np.eye(9)]) / 4
    across = np.array([np.interp(np.linspace(0, 8, 48), np.arange(9), row) for row in rows])
    smooth = np.einsum("nij,ih,jw->nhw", coarse, across, across)
    low, high = smooth.min((1, 2), keepdims=True), smooth.max((1, 2), keepdims=True)
    return (255 * (smooth - low) / (high - low)).round().astype(np.uint8)


@pytest.mark.parametrize("kind", KINDS)
def test_near_duplicates_are_found(pictures, kind):
    random = np.random.default_rng(1)
    copies = np.stack([alter(picture, kind, random) for picture in pictures[:100]])
    found = near_duplicates(np.concatenate([pictures, copies]), 0.9)
    right = {(number, 400 + number) for number in range(100)}
    pairs = {(first, second) for first, second, _ in found}
    assert len(pairs & right) >= 95
    assert len(pairs - right) <= 1
    assert all(0.9 <= similarity <= 1.001 for _, _, similarity in found)


@pytest.fixture
def near(pictures):
    """Training, validation and test of 40 pictures; copies of test pictures, of copies, within."""
    random = np.random.default_rng(2)
    images = pictures[:120].copy()
    split = np.repeat(np.array([TRAIN, VALIDATION, TEST], np.uint8), 40)
    labels = np.zeros(120, np.uint8)
    images[0] = alter(images[100], "contrast", random)  # training, of test
    images[1] = images[0]  # an exact copy of that
    images[2] = alter(images[50], "jpeg", random)  # training, of validation
    images[51] = alter(images[101], "shift", random)  # validation, of test
    images[3] = alter(images[4], "jpeg", random)  # within training
    labels[[2, 5]] = 5
    return FaceSet(images, labels, split, np.arange(120) + 2)


def test_near_duplicates_of_later_splits_are_removed(near):
    found = audit(near, "near")
    assert np.flatnonzero(~found.keep).tolist() == [0, 1, 2, 51]
    assert [(r.index, r.reason, r.duplicate_of) for r in found.removals] == [
        (0, "near-duplicate in test", 100),
        (1, "near-duplicate in test", 100),
        (2, "near-duplicate in validation", 50),
        (51, "near-duplicate in test", 101),
    ]
    assert found.figures["near_duplicates"] == {
        "pairs": 4,
        "groups": 4,
        "images": 9,
        "cross_split_groups": 3,
        "test_duplicates_in_train": 2,
        "validation_duplicates_in_train": 1,
        "conflicting_label_groups": 1,
    }
    assert audit(near).keep.all()
    assert audit(near).groups[[0, 1, 2, 3]].tolist() == [0, 0, 2, 3]  # the exact copies alone
    changed = np.flatnonzero(found.groups != np.arange(120))
    assert dict(zip(changed.tolist(), found.groups[changed].tolist(), strict=True)) == {
        1: 0, 4: 3, 50: 2, 100: 0, 101: 51,
    }  # fmt: skip


@pytest.mark.parametrize("versions", [6, 20])
def test_versions_within_a_split_do_not_hide_those_in_another(pictures, versions):
    random = np.random.default_rng(3)

    def noisy(picture):
        noise = random.integers(-1, 2, (versions, 48, 48))
        return (picture + noise).clip(0, 255).astype(np.uint8)

    here, there = noisy(pictures[0]), noisy(np.roll(pictures[0], 2, axis=1))
    images = np.concatenate([here, pictures[1:101], there])
    split = np.repeat(np.array([TRAIN, VALIDATION, TEST], np.uint8), [versions + 50, 50, versions])
    labels = np.zeros(len(images), np.uint8)
    found = audit(FaceSet(images, labels, split, np.arange(len(images))), "near")
    assert np.flatnonzero(~found.keep).tolist() == list(range(versions))
    assert len(set(found.groups)) == 101
    pairs = [pair[:2] for pair in found.pairs]
    assert len(set(pairs)) == len(pairs)


def test_every_finding_is_written_down(near, tmp_path):
    found = audit(near, "near")
    write_removals(tmp_path / "removed.csv", near, found.removals)
    write_pairs(tmp_path / "near.csv", near, found.pairs)
    write_manifest(tmp_path / "manifest.csv", near, found.keep)
    save_pairs(tmp_path / "near.png", near.images, found.pairs)

    removed = pd.read_csv(tmp_path / "removed.csv")
    assert removed.iloc[2].tolist() == [4, "train", "near-duplicate in validation", 52]
    pairs = pd.read_csv(tmp_path / "near.csv")
    assert set(pairs["row"]) == {2, 4, 5, 53}
    assert pairs.set_index("row").loc[4, ["class", "duplicate_class"]].tolist() == [
        "surprise",
        "angry",
    ]
    manifest = pd.read_csv(tmp_path / "manifest.csv")
    assert manifest["kept"].to_numpy().astype(bool).tolist() == found.keep.tolist()
    assert manifest["sha256"][7] == hashlib.sha256(near.images[7].tobytes()).hexdigest()
    assert (tmp_path / "near.png").stat().st_size > 1000


def test_a_flat_image_is_nobodys_near_duplicate(near):
    images = near.images.copy()
    images[10], images[110] = 7, 90
    found = audit(FaceSet(images, near.labels, near.split, near.row), "near")
    assert {r.reason for r in found.removals if r.index == 10} == {"flat image"}
    assert not {10, 110} & {index for pair in found.pairs for index in pair[:2]}


def test_where_all_are_flat_no_face_is_left(near):
    images = np.full_like(near.images, 7)
    with pytest.raises(UserError, match="no train face is left"):
        audit(FaceSet(images, near.labels, near.split, near.row), "near")


def test_pictures_that_say_that_a_picture_is_missing_are_flat_images(pictures):
    random = np.random.default_rng(0)
    notice = np.full((48, 48), 252, np.uint8)
    notice[20:32, 4:44] = random.integers(0, 256, (12, 40))  # lines of text
    encoded = notice.astype(int) + random.integers(-2, 3, notice.shape)  # as JPEG leaves it
    dark = pictures[2].copy()
    dark[:, :24] = 0  # a face half in shadow
    images = np.concatenate([[notice, encoded.clip(0, 255), dark], pictures[3:200]]).astype("uint8")
    split = np.resize(np.array([TRAIN, TRAIN, TRAIN, VALIDATION, TEST], np.uint8), len(images))
    found = audit(FaceSet(images, np.zeros(len(images), np.uint8), split, np.arange(len(images))))
    assert [(r.index, r.reason) for r in found.removals] == [(0, "flat image"), (1, "flat image")]
    assert found.figures["flat_images"] == 2


def test_how_flat_a_face_may_be_is_a_parameter(with_copies):
    with_copies.images[0, :30] = 40
    strict = AuditParams(remove="none", similarity=0.9, flat=0.6)
    assert [r.index for r in module.audit(with_copies, strict).removals] == [0, 6]


def test_a_search_that_finds_no_near_duplicates_says_so(pictures, tmp_path):
    (tmp_path / "params.yaml").write_text("audit: {remove: near, similarity: 0.9, flat: 0.65}\n")
    ingested = tmp_path / "data/ingested"
    ingested.mkdir(parents=True)
    split = np.resize(np.array([TRAIN, VALIDATION, TEST], np.uint8), 30)
    with FaceSetWriter(ingested, tmp_path / "data/test_labels.npy") as writer:
        writer.append(FaceBlock(pictures[:30], np.zeros(30, np.uint8), split, np.arange(30)))

    subprocess.run([sys.executable, STAGE], cwd=tmp_path, check=True)

    figures = json.loads((tmp_path / "metrics/audit.json").read_text())
    assert figures["near_duplicates"]["pairs"] == 0
    assert not any(figures["near_duplicates"].values())
    (header,) = (tmp_path / "data/audit/near.csv").read_text().splitlines()
    assert header.startswith("row,split,class,duplicate_row")
    assert not (tmp_path / "data/audit/near.png").exists()

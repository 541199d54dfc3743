import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.special import log_softmax

from unmask.core.faces import CLASSES
from unmask.sample.action_units import (
    LOWER_UNITS,
    PRIORS,
    PROBABILITIES,
    UNITS,
    UPPER_UNITS,
    attainable_accuracy,
    attainable_log_loss,
)
from unmask.sample.synthetic import (
    class_counts,
    contact_sheet,
    draw_face,
    draw_splits,
    draw_units,
    write_csv,
)

COUNTS = {"train": 40, "validation": 15, "test": 20}
UPPER = np.array([unit in UPPER_UNITS for unit in UNITS])
STAGE = Path(__file__).resolve().parents[2] / "stages" / "make_sample.py"


@pytest.fixture(scope="module")
def splits():
    return draw_splits(COUNTS, seed=3)


def face(moves, person):
    return draw_face(np.asarray(moves, bool), np.random.default_rng(person)).astype(int)


def test_faces_are_48x48_bytes_with_a_label_each(splits):
    for name, (images, labels, _) in splits.items():
        assert images.shape == (COUNTS[name], 48, 48)
        assert labels.shape == (COUNTS[name],)
        assert images.dtype == labels.dtype == np.uint8
        assert images.reshape(len(images), -1).std(axis=1).min() > 5


def test_same_seed_gives_same_faces_whatever_was_drawn_before(splits):
    draw_splits(COUNTS, seed=4)
    again = draw_splits(COUNTS, seed=3)
    for name, split in splits.items():
        np.testing.assert_array_equal(split.images, again[name].images)
        np.testing.assert_array_equal(split.labels, again[name].labels)


def test_every_face_is_another_across_splits_and_seeds(splits):
    drawn = [*splits.values(), *draw_splits(COUNTS, seed=4).values()]
    images = [image.tobytes() for split in drawn for image in split.images]
    assert len(set(images)) == len(images) == 2 * sum(COUNTS.values())


def test_a_face_does_not_depend_on_the_faces_after_it(splits):
    longer = draw_splits(COUNTS | {"train": 50}, seed=3)["train"]
    same_label = splits["train"].labels == longer.labels[:40]
    assert same_label.any()
    np.testing.assert_array_equal(
        splits["train"].images[same_label], longer.images[:40][same_label]
    )


@pytest.mark.parametrize("person", range(12))
def test_each_half_depends_on_its_own_units_alone(person):
    rest, upper, lower = face(0 * UPPER, person), face(UPPER, person), face(~UPPER, person)
    np.testing.assert_array_equal(lower[:24], rest[:24])
    np.testing.assert_array_equal(upper[24:], rest[24:])
    every = face(UPPER | ~UPPER, person)
    np.testing.assert_array_equal(every[:24], upper[:24])
    np.testing.assert_array_equal(every[24:], lower[24:])


@pytest.mark.parametrize("unit", UNITS)
def test_each_unit_shows_clearly_in_its_half(unit):
    alone = [name == unit for name in UNITS]
    rows = slice(0, 24) if unit in UPPER_UNITS else slice(24, 48)
    for person in range(6):
        change = np.abs(face(alone, person) - face(0 * UPPER, person))[rows]
        # Several pixels change by more than the noise of the same person.
        assert (change > 12).sum() >= 4


@pytest.mark.parametrize("person", range(10))
def test_units_do_not_touch_the_edge_between_the_halves(person):
    rest, every = face(0 * UPPER, person), face(UPPER | ~UPPER, person)
    assert np.abs(rest - every)[23].max() <= 12


def test_units_move_as_often_as_the_table_says():
    random = np.random.default_rng(0)
    for label in range(len(CLASSES)):
        moves = np.array([draw_units(label, random) for _ in range(4000)])
        np.testing.assert_allclose(moves.mean(axis=0), PROBABILITIES[label], atol=0.035)


def test_attainable_figures_are_what_the_bayes_classifier_reaches():
    random = np.random.default_rng(1)
    count = 200_000
    labels = random.choice(len(CLASSES), size=count, p=PRIORS)
    moves = random.random((count, len(UNITS))) < PROBABILITIES[labels]
    for part, seen in (("upper", UPPER), ("whole", UPPER | ~UPPER)):
        table = PROBABILITIES[:, seen]
        score = (
            np.log(PRIORS) + moves[:, seen] @ np.log(table).T + ~moves[:, seen] @ np.log1p(-table).T
        )
        reached = (score.argmax(axis=1) == labels).mean()
        assert reached == pytest.approx(attainable_accuracy()[part], abs=0.004)
        posterior = log_softmax(score, axis=1)
        lost = -posterior[np.arange(count), labels].mean()
        assert lost == pytest.approx(attainable_log_loss()[part], abs=0.01)


def test_upper_half_tells_much_but_far_less_than_the_whole_face():
    attainable = attainable_accuracy()
    assert PRIORS.max() + 0.25 < attainable["upper"] < 0.66
    assert 0.93 < attainable["whole"] < 0.97


def test_tables_cover_every_unit_and_class():
    assert UNITS == UPPER_UNITS + LOWER_UNITS
    assert PROBABILITIES.shape == (len(CLASSES), len(UNITS))
    assert PRIORS.sum() == pytest.approx(1)
    assert PRIORS.min() >= 0.05


@pytest.mark.parametrize("count", [7, 8, 13, 20, 100, 2401])
def test_classes_stand_in_proportion_and_none_is_missing(count):
    counts = class_counts(count)
    assert counts.sum() == count
    assert counts.min() >= 1
    if count >= 20:
        assert np.abs(counts - count * PRIORS).max() < 1


def test_labels_of_each_split_stand_in_drawn_order(splits):
    for name, split in splits.items():
        counts = np.bincount(split.labels, minlength=len(CLASSES))
        np.testing.assert_array_equal(counts, class_counts(COUNTS[name]))
        assert (np.diff(split.labels.astype(int)) < 0).any()


def test_csv_has_the_kaggle_layout(splits, tmp_path):
    write_csv(tmp_path / "sample.csv", splits)
    with (tmp_path / "sample.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["emotion", "pixels", "Usage"]
    usages = [row["Usage"] for row in rows]
    assert usages == ["Training"] * 40 + ["PublicTest"] * 15 + ["PrivateTest"] * 20
    first_test = rows[55]
    assert int(first_test["emotion"]) == splits["test"].labels[0]
    values = np.array(first_test["pixels"].split(" "), int).reshape(48, 48)
    np.testing.assert_array_equal(values, splits["test"].images[0])


def test_contact_sheet_has_a_row_for_each_class(splits):
    sheet = np.asarray(contact_sheet(splits["train"], columns=2, zoom=1))
    assert len(sheet) == 7 * 48
    happy = splits["train"].images[splits["train"].labels == 3][0]
    np.testing.assert_array_equal(sheet[3 * 48 : 4 * 48, -96:-48], happy)


def test_stage_writes_sample_picture_and_metrics(tmp_path):
    parameters = "sample: {train: 12, validation: 7, test: 8, seed: 5}\n"
    (tmp_path / "params.yaml").write_text(parameters)
    subprocess.run([sys.executable, STAGE], cwd=tmp_path, check=True)
    metrics = json.loads((tmp_path / "metrics/sample.json").read_text())
    assert metrics["attainable_accuracy"] == attainable_accuracy()
    assert metrics["attainable_log_loss"] == attainable_log_loss()
    assert metrics["faces"] == {"train": 12, "validation": 7, "test": 8}
    assert list(metrics["classes"]) == list(CLASSES)
    assert sum(metrics["classes"].values()) == 27
    assert len((tmp_path / "data/raw/sample.csv").read_text().splitlines()) == 28
    assert (tmp_path / "data/raw/sample.png").read_bytes().startswith(b"\x89PNG")

"""Leaks and controls: what each does to the data, and what a classifier makes of it."""

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from unmask.core.errors import UserError
from unmask.core.faces import HIDDEN, TEST, TRAIN, VALIDATION, FaceSet
from unmask.core.files import save_array, write_json
from unmask.core.mask import crop, stitch
from unmask.evaluation.evaluate import evaluate_classifier
from unmask.laboratory.folds import parts
from unmask.laboratory.inject import COPIES, inject
from unmask.laboratory.results import results
from unmask.params.data import Data
from unmask.params.laboratory import Experiment
from unmask.params.models import Named, Train
from unmask.sources.columns import drawn_split
from unmask.training.classifier import train_classifier

CLASSIFIER = Named.model_validate(
    {"name": "paper_cnn", "filters": [8, 16], "hidden": 64, "dropout": 0.0, "dense_dropout": 0.2}
)
KIND = {"epochs": 40, "patience": 40, "batch_size": 16, "learning_rate": 0.003}
KIND |= {"schedule": "cosine", "gradient_clip": None, "flip": 0.0, "rotation": 0.0, "shift": 0.0}
PROCESSES = {"precision": "float32", "devices": 1, "nodes": 1, "launcher": "python"}
SETTINGS = {"seed": 1, **PROCESSES, "classifier": KIND, "reconstructor": KIND}
LEARNING = Train.model_validate(SETTINGS)

pytestmark = pytest.mark.usefixtures("in_folder")


@pytest.fixture
def keep(faces):
    """What the audit would keep: not the first ten faces."""
    return np.arange(len(faces)) >= 10


@pytest.fixture
def flat(faces):
    """Pictures that show no face: none."""
    return np.zeros(len(faces), bool)


@pytest.fixture
def stitched(faces):
    """True upper halves with generated ones that say which face they are of."""
    lower = np.broadcast_to(np.arange(len(faces), dtype=np.uint8)[:, None, None], (168, 24, 48))
    return stitch(crop(faces.images)[0], lower)


@pytest.fixture
def injected(faces, keep, flat, stitched):
    """Return a function that injects a leak: the faces before and after it, unsealed."""

    def make(
        faces=faces, name="injected", keep=keep, flat=flat, stitched=stitched, seed=1, **settings
    ):
        experiment = Experiment.model_validate({"reconstructor": "train", **settings})
        truth = faces.unsealed("faces/test_labels.npy")
        folder = Path(f"data/laboratory/injected/{name}")
        folder.mkdir(parents=True)
        train = LEARNING.model_copy(update={"seed": seed})
        inject(truth, keep, flat, stitched, experiment, train, folder)
        assert set(FaceSet.open(folder / "faces").labels[-1:]) == {HIDDEN}
        return truth, FaceSet.open(folder / "faces").unsealed(folder / "test_labels.npy")

    return make


def same_faces(first, second):
    return all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def of_split(faces, split):
    rows = faces.rows(split)
    return faces.images[rows], faces.labels[rows], faces.row[rows]


def test_the_honest_experiment_is_the_pipeline(injected, stitched, keep):
    faces, honest = injected()
    for split in (TRAIN, VALIDATION, TEST):
        rows = faces.rows(split, keep)
        expected = stitched[rows], faces.labels[rows], faces.row[rows]
        assert same_faces(of_split(honest, split), expected)


def test_copies_that_the_audit_removes_can_be_kept(injected, stitched):
    faces, kept = injected(copies="kept")
    np.testing.assert_array_equal(kept.images, stitched)
    np.testing.assert_array_equal(kept.labels, faces.labels)


def test_pictures_without_a_face_stay_out_where_copies_are_kept(injected, keep):
    flat = np.isin(np.arange(168), [3, 100, 160])  # in training, validation and test
    faces, kept = injected(copies="kept", flat=flat, keep=keep & ~flat)
    stay = ~flat | (faces.split == TEST)
    np.testing.assert_array_equal(kept.row, faces.row[stay])


@pytest.mark.parametrize(("lower", "true"), [("truth", (0, 1, 2)), ("truth_in_test", (2,))])
def test_true_halves_stand_where_they_are_injected(injected, stitched, keep, lower, true):
    faces, changed = injected(lower=lower)
    for split in (TRAIN, VALIDATION, TEST):
        expected = (faces.images if split in true else stitched)[faces.rows(split, keep)]
        np.testing.assert_array_equal(of_split(changed, split)[0], expected)


def test_halves_are_shuffled_among_the_faces_of_a_split(injected):
    _, honest = injected()
    _, shuffled = injected(name="shuffled", lower="shuffled", copies="kept")
    np.testing.assert_array_equal(shuffled.images[10:, :24], honest.images[:, :24])
    for split in (TRAIN, VALIDATION, TEST):
        whose = of_split(shuffled, split)[0][:, 47, 0]
        assert sorted(whose) == shuffled.rows(split).tolist()
        assert (whose != shuffled.rows(split)).mean() > 0.8


def test_labels_are_shuffled_among_training_faces_alone(injected):
    faces, shuffled = injected(labels="shuffled", copies="kept")
    train = faces.rows(TRAIN)
    assert sorted(shuffled.labels[train]) == sorted(faces.labels[train])
    assert (shuffled.labels[train] != faces.labels[train]).mean() > 0.5
    np.testing.assert_array_equal(shuffled.labels[84:], faces.labels[84:])


def test_noise_takes_the_place_of_upper_halves_alone(injected):
    _, honest = injected()
    _, noisy = injected(name="noisy", upper="noise")
    np.testing.assert_array_equal(noisy.images[:, 24:], honest.images[:, 24:])
    noise = noisy.images[:, :24]
    assert 120 < noise.mean() < 135
    assert 70 < noise.std() < 78
    assert not np.array_equal(noise[0], noise[1])


def test_faces_and_their_copies_are_split_by_lot(injected, keep):
    faces, mixed = injected(split="augmented")
    used = keep | (faces.split == TEST)
    rows, counts = np.unique(mixed.row, return_counts=True)
    np.testing.assert_array_equal(rows, faces.row[used])
    assert set(counts) == {1 + COPIES}
    labels = dict(zip(faces.row.tolist(), faces.labels.tolist(), strict=True))
    assert mixed.labels.tolist() == [labels[row] for row in mixed.row.tolist()]
    shares = np.bincount(mixed.split) / len(mixed)
    np.testing.assert_allclose(shares, [74 / 158, 42 / 158, 42 / 158], atol=0.06)
    test = set(mixed.row[mixed.rows(TEST)])
    seen = test & set(mixed.row[mixed.rows(TRAIN)])
    assert len(seen) > 0.5 * len(test)
    first = mixed.images[mixed.row == faces.row[50]]
    assert len(np.unique(first, axis=0)) == 1 + COPIES


def test_training_faces_can_judge_and_the_judged_can_choose(injected):
    _, judged = injected(judge="train")
    assert same_faces(of_split(judged, TEST), of_split(judged, TRAIN))
    _, chosen = injected(name="chosen", choose="judged")
    assert same_faces(of_split(chosen, VALIDATION), of_split(chosen, TEST))
    _, both = injected(name="both", judge="train", choose="judged")
    assert same_faces(of_split(both, VALIDATION), of_split(both, TRAIN))


def test_the_judged_choose_by_the_very_pictures_that_are_judged(injected, keep):
    for judge in ("test", "train"):
        settings = {"judge": judge, "choose": "judged", "lower": "truth_in_test"}
        faces, chosen = injected(name=judge, **settings)
        rows = faces.rows(TRAIN, keep) if judge == "train" else faces.rows(TEST)
        np.testing.assert_array_equal(of_split(chosen, TEST)[0], faces.images[rows])
        assert same_faces(of_split(chosen, VALIDATION), of_split(chosen, TEST))


def test_what_is_drawn_for_a_seed_stays_the_same(injected, stitched):
    """Noise, lots and labels as NumPy draws them for all faces at once."""
    faces, noisy = injected(name="noisy", upper="noise", copies="kept", seed=7)
    noise = np.random.default_rng([7, 3]).integers(0, 256, (168, 24, 48))
    np.testing.assert_array_equal(noisy.images[:, :24], noise)
    _, shuffled = injected(name="shuffled", lower="shuffled", copies="kept", seed=7)
    for split in (TRAIN, VALIDATION, TEST):
        lot = np.random.default_rng([7, 2]).permutation(faces.rows(split))
        np.testing.assert_array_equal(of_split(shuffled, split)[0][:, 24:], stitched[lot][:, 24:])


def test_memory_does_not_grow_with_what_is_drawn(tmp_path):
    """Noise alone, as it is drawn, would take four times as much as the faces."""
    count = 20_000
    images = np.zeros((count, 48, 48), np.uint8)
    split = np.arange(count).astype(np.uint8) % 3
    faces = FaceSet(images, np.zeros(count, np.uint8), split, np.arange(count))
    settings = {"reconstructor": "train", "upper": "noise", "lower": "shuffled"}
    experiment = Experiment.model_validate(settings)
    every = np.ones(count, bool)
    tracemalloc.start()
    inject(faces, every, ~every, images, experiment, LEARNING, tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * images.nbytes
    noise = np.load(tmp_path / "faces/images.npy")[:, :24]
    assert len(np.unique(noise, axis=0)) == count  # none is drawn twice


def test_soft_labels_are_refused(injected, faces):
    soft = replace(faces, soft_labels=np.full((len(faces), 7), 1 / 7, np.float32))
    with pytest.raises(UserError, match=r"params.yaml: data.labels: .*hard.*; choose"):
        injected(faces=soft)


def test_each_training_face_is_generated_by_a_reconstructor_that_has_not_seen_it(faces, keep):
    groups = np.arange(len(faces)) // 2  # each face has a copy beside it
    folds = parts("folds", 3, faces.split, keep, groups, seed=1)
    assert len(folds) == 3
    train = faces.rows(TRAIN, keep).tolist()
    assert sorted(np.concatenate([generated for _, generated in folds])) == train
    for learned, generated in folds:
        assert len(generated) > 0
        assert sorted(np.concatenate([learned, generated])) == train
        assert not set(groups[learned]) & set(groups[generated])


def test_folds_do_not_repeat_the_draw_of_the_validation_split(faces, keep):
    rows = np.arange(5000)
    source = {"source": "faces", "labels": "fer2013", "votes": "votes.csv"}
    data = Data.model_validate({**source, "validation_fraction": 0.5, "seed": 1})
    split = drawn_split(rows, data)
    folds = parts("folds", 2, split, np.ones(5000, bool), rows, seed=1)
    sizes = [len(generated) / (split == TRAIN).sum() for _, generated in folds]
    assert sizes == pytest.approx([0.5, 0.5], abs=0.05)


def test_a_reconstructor_can_learn_from_all_splits(faces, keep):
    ((learned, generated),) = parts("all", 3, faces.split, keep, np.arange(len(faces)), seed=1)
    assert set(faces.rows(TEST)) | set(faces.rows(VALIDATION)) < set(learned)
    assert set(range(10)).isdisjoint(learned)
    assert len(generated) == len(faces)


def experimented(faces, name, epochs=40):
    """Return the figures of a classifier that was trained on injected faces."""
    kind = LEARNING.classifier.model_copy(update={"epochs": epochs})
    keep = np.ones(len(faces), bool)
    train_classifier(
        f"laboratory/classifiers/{name}",
        "stitched",
        faces.images,
        faces,
        keep,
        CLASSIFIER,
        LEARNING.model_copy(update={"classifier": kind}),
        {"experiment": name},
    )
    figures = evaluate_classifier(
        f"models/laboratory/classifiers/{name}",
        faces.images,
        faces,
        keep,
        f"data/laboratory/predictions/{name}",
    )
    write_json(f"laboratory/metrics/{name}.json", figures)
    return figures["test"]


def test_what_can_be_learned_vanishes_with_the_labels(injected, faces):
    settings = {"stitched": faces.images, "copies": "kept"}
    _, honest = injected(name="honest", **settings)
    assert experimented(honest, "honest")["accuracy"] > 0.7
    _, shuffled = injected(name="shuffled", labels="shuffled", **settings)
    assert experimented(shuffled, "shuffled")["accuracy"] < 0.5


def test_a_leak_shows_what_cannot_be_known(injected, faces):
    """Labels drawn by lot: who reads them from new faces has seen the faces before."""
    random = np.random.default_rng(5)
    labels = random.integers(0, 7, len(faces)).astype(np.uint8)
    save_array("faces/test_labels.npy", labels[faces.split == TEST])
    images = random.integers(0, 256, faces.images.shape).astype(np.uint8)
    drawn = FaceSet(images, labels, faces.split, faces.row)
    made = {}
    for name, settings in {
        "honest": {},
        "judged_on_training": {"judge": "train", "choose": "judged"},
        "mixed": {"split": "augmented"},
    }.items():
        _, injected_faces = injected(faces=drawn, name=name, stitched=images, **settings)
        made[name] = experimented(injected_faces, name, epochs=20)["accuracy"]
    assert made["honest"] < 0.35
    assert made["judged_on_training"] > 0.9
    assert made["mixed"] > made["honest"] + 0.15

    experiments = {
        "honest": Experiment(reconstructor="train"),
        "judged_on_training": Experiment(reconstructor="train", judge="train", choose="judged"),
        "mixed": Experiment(reconstructor="train", split="augmented"),
    }
    Path("data/faces").mkdir()
    write_json("data/faces/meta.json", {"source_sha256": "0"})
    found = results("unet", experiments)["experiments"]
    assert found["judged_on_training"]["accuracy"] == made["judged_on_training"]
    assert found["judged_on_training"]["injected"] == {"judge": "train", "choose": "judged"}
    assert not found["honest"]["reaches"]
    best = min(
        max(abs(running - 0.80), abs(judged - 0.966))
        for running, judged in found["judged_on_training"]["epochs"]
    )
    assert found["judged_on_training"]["distance"] == pytest.approx(best, abs=1e-9)
    assert "mcnemar_p" not in found["mixed"]  # other faces than the honest experiment's

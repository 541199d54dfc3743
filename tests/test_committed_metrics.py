"""The metrics in the last commit, which `dvc repro` made from the embedded sample."""

import hashlib
import json
import math
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]


def committed(path):
    # Not the working tree, which may hold an experiment on other faces.
    command = ["git", "show", f"HEAD:{path}"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout


def read(name, folder="metrics"):
    return json.loads(committed(f"{folder}/{name}"))


@pytest.fixture
def attainable():
    return read("sample.json")["attainable_accuracy"]


def exceeds(accuracy, bound, faces):
    """Return whether an accuracy is above a bound by more than three standard errors."""
    return accuracy > bound + 3 * math.sqrt(bound * (1 - bound) / faces)


def test_no_classifier_of_upper_halves_exceeds_what_they_hold(attainable):
    faces = read("sample.json")["faces"]["test"]
    compared = read("compare.json")
    for row in (compared["baseline"], *compared["models"].values()):
        assert not exceeds(row["accuracy"], attainable["upper"], faces)


def test_no_classifier_of_whole_faces_exceeds_what_they_hold(attainable):
    faces = read("sample.json")["faces"]["test"]
    assert not exceeds(read("compare.json")["ceiling"]["accuracy"], attainable["whole"], faces)


def test_the_ceiling_would_be_caught_if_it_were_claimed_for_upper_halves(attainable):
    faces = read("sample.json")["faces"]["test"]
    assert exceeds(read("compare.json")["ceiling"]["accuracy"], attainable["upper"], faces)


def test_a_teacher_brings_its_student_nearer_to_the_attainable_posterior():
    attainable = read("sample.json")["attainable_log_loss"]["upper"]
    readers = read("results.json", "readers")["readers"]
    hard, distilled = (readers[name]["test"]["log_loss"] for name in ("hard", "distilled"))
    assert len(hard["by_seed"]) >= 3
    assert attainable < distilled["mean"] < hard["mean"]


def test_injected_leaks_are_caught_by_what_upper_halves_hold(attainable):
    found = read("results.json", "laboratory")["experiments"]

    def is_caught(name):
        return found[name]["ci95"][0] > attainable["upper"]

    for name in ("honest", "out_of_fold", "shuffled_halves", "noise_above", "shuffled_labels"):
        assert not is_caught(name)
    for name in ("judged_on_training_long", "split_after_augmentation_long", "true_halves"):
        assert is_caught(name)


def test_the_headline_and_the_comparison_agree():
    headline, compared = read("headline.json"), read("compare.json")
    final = compared["models"][headline["model"]]
    assert headline["final"]["test"]["accuracy"] == final["accuracy"]
    assert headline["gain"]["accuracy"] == pytest.approx(final["gain"])
    assert headline["gain"]["mcnemar_p"] == final["mcnemar_p"]


def test_the_picture_of_the_readme_is_what_the_pipeline_drew():
    (drawn,) = yaml.safe_load(committed("dvc.lock"))["stages"]["sheet"]["outs"]
    assert hashlib.md5(committed("docs/reconstructors.png")).hexdigest() == drawn["md5"]


@pytest.mark.parametrize("folder", ["", "laboratory/", "readers/", "release/", "report/", "seeds/"])
def test_a_lock_names_no_stage_that_is_gone(folder):
    # DVC keeps them, and reads them each time.
    locked = yaml.safe_load(committed(f"{folder}dvc.lock"))["stages"]
    stages = yaml.safe_load(committed(f"{folder}dvc.yaml"))["stages"]
    assert {name.partition("@")[0] for name in locked} <= set(stages)

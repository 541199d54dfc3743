"""The stage `release`: the card of a small reader, its calibration, and what it refuses."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import ModelCard, metadata_load
from small_models import save

import unmask
from unmask.core.files import write_json
from unmask.models.folder import read_config
from unmask.release.card import card, of_pipeline

STAGE = Path(__file__).resolve().parents[2] / "stages/release.py"
SOURCE = {"source": "fer2013.csv", "source_sha256": "0" * 64, "labels": "fer2013"}
SOURCE["synthetic"] = False
ALWAYS_UNSURE = {"risk": 0.1, "threshold": None, "coverage": 0.0, "accuracy": None}


def trained(folder, augment="false"):
    """Write what the pipeline leaves of a reader that is very sure and often wrong."""
    (folder / "params.yaml").write_text(
        f"release: {{reader: taught, seed: 1}}\nevaluate: {{seeds: [1, 2], augment: {augment}}}\n"
    )
    save(folder / "models/readers/taught/1", "classifiers", "paper_cnn")
    write_json(folder / "data/faces/meta.json", SOURCE)
    found = {
        "test": {"confusion": np.full((7, 7), 3).tolist()},
        "confidence": {"temperature": 1e-6, "unsure": ALWAYS_UNSURE},
    }
    write_json(folder / "readers/metrics/taught/1.json", found)


def run_stage(folder):
    return subprocess.run(
        [sys.executable, STAGE], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """The folder of a reader of which no threshold keeps the promise."""
    folder = tmp_path_factory.mktemp("released")
    trained(folder)
    result = run_stage(folder)
    assert result.returncode == 0, result.stderr
    return folder / "release/model"


def test_the_card_names_the_faces_as_hubs_read_it_and_as_people_do(released):
    (model,) = metadata_load(released / "README.md")["model-index"]
    assert model["results"][0]["dataset"]["name"] == "fer2013.csv"
    text = ModelCard.load(released / "README.md").text
    assert "Of the 147 test faces of `fer2013.csv`, looking once at each, as `unmask" in text
    assert "It is always `unsure`" in text


def test_a_reader_that_no_threshold_helps_is_unsure_though_its_probability_is_1(released):
    faces = np.random.default_rng(0).integers(0, 256, (20, 48, 48), dtype=np.uint8)
    photos = unmask.predict(list(faces), released, faces_are_cropped=True)
    read = [face for photo in photos for face in photo.faces]
    assert max(max(face.probabilities.values()) for face in read) == 1
    assert all(face.unsure for face in read)


def test_averaged_looks_are_refused_in_one_line(tmp_path):
    trained(tmp_path, augment="true")
    result = run_stage(tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "error: params.yaml: evaluate.augment: true, but a released reader looks once; "
        "set it to false\n"
    )
    assert not (tmp_path / "release").exists()


def test_only_the_embedded_sample_is_said_to_be_drawn(released):
    for synthetic, license in ((True, "mit"), (False, "other")):
        source = SOURCE | {"source": "sample.csv", "synthetic": synthetic}
        about = of_pipeline("taught", "1", "release/model", source)
        text = card(about, read_config(released), 1, np.eye(7).astype(int).tolist(), ALWAYS_UNSURE)
        assert ModelCard(text).data.license == license
        assert ("They show nobody" in text) == synthetic


@pytest.mark.parametrize(
    "name",
    ["a: b", "- a", "#1", 'it\'s "x"', "back\\slash", "two\nlines", "\x7f", "no", "é \U0001f600"],
)
def test_any_name_of_a_source_gives_valid_metadata(released, name):
    about = of_pipeline("taught", "1", "release/model", SOURCE | {"source": name})
    text = card(about, read_config(released), 1, np.eye(7).astype(int).tolist(), ALWAYS_UNSURE)
    (result,) = ModelCard(text).data.eval_results
    assert result.dataset_name == name

"""The released readers: read by their folders alone, and what they say of synthetic faces."""

import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard, metadata_load
from huggingface_hub.repocard_data import model_index_to_eval_results

import unmask
from unmask.core.faces import CLASSES
from unmask.core.files import read_json
from unmask.sample.synthetic import draw_splits

ROOT = Path(__file__).parents[2]
RECORDED = Path(__file__).parent
VIEWS = {"reader": ("upper", 24), "whole_reader": ("whole", 48)}


@pytest.fixture(params=VIEWS)
def folder(request):
    """The folder of a released reader."""
    return ROOT / "release" / request.param


def probabilities(folder):
    counts = {"train": 7, "validation": 7, "test": 14}
    faces = draw_splits(counts, seed=1)["test"].images[:, : VIEWS[folder.name][1]]
    seen = torch.from_numpy(np.ascontiguousarray(faces))[:, None] / 255
    with torch.inference_mode():
        return unmask.load(folder)(seen).softmax(1).numpy()


def test_it_says_what_it_said_when_it_was_released(folder):
    recorded = json.loads((RECORDED / f"released_{folder.name}.json").read_text())
    np.testing.assert_allclose(probabilities(folder), recorded, atol=1e-3)


def test_it_is_small_and_describes_itself(folder):
    view, height = VIEWS[folder.name]
    assert sum(file.stat().st_size for file in folder.iterdir()) < 8_000_000
    config = json.loads((folder / "config.json").read_text())
    assert (config["view"], config["input_shape"]) == (view, [1, height, 48])
    assert config["classes"] == list(CLASSES)
    assert sum(weight.numel() for weight in unmask.load(folder).parameters()) <= 3_000_000
    assert 0 < json.loads((folder / "calibration.json").read_text())["threshold"] < 1


@pytest.fixture(scope="module")
def judged():
    """What wrote the cards, with the predictions that their figures are from."""
    spec = importlib.util.spec_from_file_location("judged", ROOT / "results/released_readers.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_card_says_what_the_predictions_say(judged, folder):
    (reader,) = (reader for reader in judged.READERS if reader.path == folder)
    assert judged.text(reader) == (folder / "README.md").read_text()


def test_the_calibration_is_the_one_that_validation_chose(judged, folder):
    (reader,) = (reader for reader in judged.READERS if reader.path == folder)
    found, kept = judged.confidence(reader), read_json(folder / "calibration.json")
    assert kept["temperature"] == pytest.approx(found["temperature"])
    assert kept["threshold"] == pytest.approx(found["unsure"]["threshold"])


def test_every_share_in_the_card_has_its_interval(folder):
    text = ModelCard.load(folder / "README.md").text
    shares = re.findall(r"\d+(?:\.\d+)? %(?!\s+interval)(.{0,16})", text.replace("\n", " "))
    without = [rest for rest in shares if not rest.startswith((" [", " wrong answers"))]
    assert len(shares) > 14
    assert without == []  # the share of wrong answers that is aimed at is no measurement


def test_the_card_has_what_a_hub_asks_for(folder):
    metadata = metadata_load(folder / "README.md")
    assert metadata["license"] == "other"
    assert metadata["license_name"]
    name, (result,) = model_index_to_eval_results(metadata["model-index"])
    assert name == f"unmask {folder.name}"
    assert (result.metric_type, result.task_type) == ("accuracy", "image-classification")
    text = (folder / "README.md").read_text()
    assert f"**{100 * result.metric_value:.1f} % [" in text
    for words in ("2 February 2025", "must not be used", "FER2013 is for research"):
        assert words in text

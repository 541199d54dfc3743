"""The released reader: read by its folder alone, and what it says of synthetic faces."""

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
READER = ROOT / "release/reader"
RECORDED = Path(__file__).parent / "released.json"


def probabilities():
    counts = {"train": 7, "validation": 7, "test": 14}
    faces = draw_splits(counts, seed=1)["test"].images[:, :24]
    upper = torch.from_numpy(np.ascontiguousarray(faces))[:, None] / 255
    with torch.inference_mode():
        return unmask.load(READER)(upper).softmax(1).numpy()


def test_it_says_what_it_said_when_it_was_released():
    np.testing.assert_allclose(probabilities(), json.loads(RECORDED.read_text()), atol=1e-3)


def test_it_is_small_and_describes_itself():
    assert sum(file.stat().st_size for file in READER.iterdir()) < 8_000_000
    config = json.loads((READER / "config.json").read_text())
    assert (config["view"], config["input_shape"]) == ("upper", [1, 24, 48])
    assert config["classes"] == list(CLASSES)
    assert sum(weight.numel() for weight in unmask.load(READER).parameters()) <= 3_000_000
    assert 0 < json.loads((READER / "calibration.json").read_text())["threshold"] < 1


@pytest.fixture(scope="module")
def judged():
    """What wrote the card, with the predictions that its figures are from."""
    spec = importlib.util.spec_from_file_location("judged", ROOT / "results/released_reader.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_card_says_what_the_predictions_say(judged):
    assert judged.text() == (READER / "README.md").read_text()


def test_the_calibration_is_the_one_that_validation_chose(judged):
    found, kept = judged.confidence(), read_json(READER / "calibration.json")
    assert kept["temperature"] == pytest.approx(found["temperature"])
    assert kept["threshold"] == pytest.approx(found["unsure"]["threshold"])


def test_every_share_in_the_card_has_its_interval():
    text = ModelCard.load(READER / "README.md").text
    shares = re.findall(r"\d+(?:\.\d+)? %(?!\s+interval)(.{0,16})", text.replace("\n", " "))
    without = [rest for rest in shares if not rest.startswith((" [", " of the answers"))]
    assert len(shares) > 14
    assert without == []  # the share of wrong answers that is aimed at is no measurement


def test_the_card_has_what_a_hub_asks_for():
    metadata = metadata_load(READER / "README.md")
    assert metadata["license"] == "other"
    assert metadata["license_name"]
    name, (result,) = model_index_to_eval_results(metadata["model-index"])
    assert name == "unmask reader"
    assert (result.metric_type, result.task_type) == ("accuracy", "image-classification")
    text = (READER / "README.md").read_text()
    assert f"**{100 * result.metric_value:.1f} % [" in text
    for words in ("2 February 2025", "must not be used", "FER2013 is for research"):
        assert words in text

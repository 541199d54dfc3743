"""The released reader: read by its folder alone, and what it says of synthetic faces."""

import json
from pathlib import Path

import numpy as np
import torch

import unmask
from unmask.core.faces import CLASSES
from unmask.sample.synthetic import draw_splits

READER = Path(__file__).parents[2] / "release/reader"
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

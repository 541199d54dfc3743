"""Temperature, coverage and the threshold below which a reader says that it is unsure."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from unmask.evaluation.calibration import calibration, scaled, temperature, threshold
from unmask.evaluation.predictions import predictions
from unmask.evaluation.statistics import calibration_error


def table(faces=4000, heat=1.0, seed=0, certainty=1.5):
    """Return predictions whose logits are `heat` times those that the labels are drawn from."""
    random = np.random.default_rng(seed)
    logits = certainty * random.normal(size=(faces, 7))
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = (shares.cumsum(1) > random.random((faces, 1))).argmax(1).astype(np.uint8)
    hot = np.exp(heat * logits) / np.exp(heat * logits).sum(1, keepdims=True)
    return predictions(np.arange(faces), labels, hot.astype(np.float32))


@pytest.mark.parametrize("heat", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_what_was_done_to_the_logits(heat):
    assert temperature(table(heat=heat)) == pytest.approx(heat, rel=0.06)


def test_the_temperature_is_the_one_that_scipy_finds():
    found = table(500, heat=2.0)

    def loss(heat):
        shares = scaled(found, heat)["probabilities"]
        return -np.log(shares[np.arange(500), found["label"]]).mean()

    best = minimize_scalar(loss, bounds=(0.1, 10), method="bounded", options={"xatol": 1e-8})
    assert temperature(found) == pytest.approx(best.x, rel=1e-3)


def test_scaling_mends_calibration_and_changes_no_prediction():
    validation, test = table(heat=3.0), table(heat=3.0, seed=1)
    figures = calibration(validation, test, 0.3)
    assert figures["calibration_error"]["before"] == calibration_error(test) > 0.15
    assert figures["calibration_error"]["after"] < 0.03
    assert (scaled(test, 2.0)["prediction"] == test["prediction"]).all()
    for part in figures["reliability"]:
        if part["faces"] > 100:
            assert part["accuracy"] == pytest.approx(part["confidence"], abs=0.08)


def test_the_fewer_faces_are_answered_the_better():
    figures = calibration(table(), table(seed=1), 0.3)["coverage"]
    right = (table(seed=1)["label"] == table(seed=1)["prediction"]).mean()
    assert [part["share"] for part in figures] == pytest.approx(np.arange(1, 21) / 20)
    assert figures[-1]["accuracy"] == pytest.approx(right)
    assert figures[0]["accuracy"] > figures[10]["accuracy"] > figures[-1]["accuracy"]


def test_the_stated_risk_is_kept():
    kept = []
    for seed in range(40):
        known, judged = (table(1000, seed=at, certainty=3) for at in (seed, 1000 + seed))
        figures = calibration(known, judged, 0.3)["unsure"]
        assert 0.2 < figures["coverage"] < 1
        kept.append(1 - figures["accuracy"] <= 0.3)
    assert np.mean(kept) >= 0.95


def test_a_reader_that_cannot_keep_the_risk_answers_nothing():
    guesses = table(400, certainty=0.1)
    assert threshold(guesses, 0.1) is None
    unsure = calibration(guesses, guesses, 0.1)["unsure"]
    assert unsure == {"risk": 0.1, "threshold": None, "coverage": 0.0, "accuracy": None}

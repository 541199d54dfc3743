"""Mean, spread and paired tests over seeds."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_rel

from unmask.comparison.seeds import markdown, paired_t_p, results
from unmask.core.files import write_json

BASELINE, FINAL, CEILING = [0.40, 0.42, 0.44], [0.40, 0.43, 0.43], [0.61, 0.62, 0.66]


@pytest.fixture(autouse=True)
def _metrics(in_folder):
    for name, values in {"baseline": BASELINE, "unet": FINAL, "ceiling": CEILING}.items():
        folder = Path("seeds/metrics") / name
        folder.mkdir(parents=True)
        for seed, value in enumerate(values, 1):
            test = dict.fromkeys(("accuracy", "balanced_accuracy", "macro_f1"), value)
            write_json(folder / f"{seed}.json", {"test": test})
    Path("data/faces").mkdir(parents=True)
    write_json("data/faces/meta.json", {"source_sha256": "0"})


def test_mean_and_spread():
    accuracy = results("unet", [1, 2, 3])["classifiers"]["baseline"]["accuracy"]
    assert accuracy["mean"] == pytest.approx(0.42)
    assert accuracy["standard_deviation"] == pytest.approx(0.02)
    # Student's t with two degrees of freedom is 4.303.
    assert accuracy["ci95"] == pytest.approx([0.42 - 0.0497, 0.42 + 0.0497], abs=1e-4)
    assert accuracy["by_seed"] == BASELINE


def test_gains_are_paired_by_seed_and_corrected():
    classifiers = results("unet", [1, 2, 3])["classifiers"]
    final, ceiling = classifiers["unet"]["gain"], classifiers["ceiling"]["gain"]
    assert final["mean"] == pytest.approx(0)
    assert final["t_test_p"] == pytest.approx(ttest_rel(FINAL, BASELINE).pvalue)
    assert ceiling["t_test_p"] == pytest.approx(ttest_rel(CEILING, BASELINE).pvalue)
    assert ceiling["holm_p"] == pytest.approx(min(1, 2 * ceiling["t_test_p"]))
    assert "gain" not in classifiers["baseline"]


def test_the_table_names_each_classifier():
    text = markdown(results("unet", [1, 2, 3]))
    for words in ("upper half (baseline)", "| unet", "true face (ceiling)", "42.0% [37.0%, 47.0%]"):
        assert words in text


def test_equal_gains_are_no_certainty():
    """Accuracies come in steps of a face, so the seeds of any two classifiers can differ alike."""
    assert paired_t_p(np.full(3, 1 / 350)) is None
    assert paired_t_p(np.subtract([0.503, 0.506, 0.489], [0.5, 0.503, 0.486])) is None
    assert paired_t_p(np.array([1 / 350, 2 / 350])) == pytest.approx(0.205, abs=0.001)

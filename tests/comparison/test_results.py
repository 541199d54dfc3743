"""All readers side by side: intervals, paired tests, and whom they are compared with."""

import shutil
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_rel

from unmask.comparison.paired import gain, log_loss, log_loss_change, sign_flip_p, summary
from unmask.comparison.readers import draw, markdown, results
from unmask.core.files import write_json
from unmask.evaluation.calibration import calibration
from unmask.evaluation.predictions import predictions, write_predictions
from unmask.evaluation.statistics import gain_bound, gain_interval, mcnemar_p
from unmask.params.readers import Ensemble, ReaderEntry, Readers

FACES = 350


def table(accuracy, seed, faces=FACES):
    """Return predictions that are right about so many faces, the same ones for close accuracies."""
    labels = np.arange(faces, dtype=np.uint8) % 7
    ease = np.random.default_rng(0).random(faces) + 0.1 * np.random.default_rng(seed).random(faces)
    right = ease < np.quantile(ease, accuracy)
    shares = np.full((faces, 7), 0.05, np.float32)
    shares[np.arange(faces), np.where(right, labels, (labels + 1) % 7)] = 0.7
    return predictions(np.arange(faces), labels, shares)


def test_one_seed_against_another_is_mcnemars_test():
    first, second = table(0.5, 1), table(0.55, 2)
    found = gain([first], [second], paired=True)
    assert found["p"] == pytest.approx(mcnemar_p(first, second))
    assert found["ci95"] == pytest.approx(gain_interval(first, second))
    assert found["t_test_p"] is None


def test_signs_are_flipped_in_all_ways():
    apart = np.array([2, 1, -1, 3, 1, 0, -2, 1, 1, 2])
    sums = [abs(np.dot(signs, np.abs(apart))) for signs in product([-1, 1], repeat=len(apart))]
    assert sign_flip_p(apart) == pytest.approx(np.mean(np.array(sums) >= abs(apart.sum())))
    assert sign_flip_p(np.zeros(5, int)) == 1


def test_several_seeds_are_averaged():
    tables = [table(accuracy, seed) for seed, accuracy in enumerate((0.5, 0.52, 0.57))]
    found = summary(tables)
    accuracies = [(one["label"] == one["prediction"]).mean() for one in tables]
    assert found["accuracy"] == pytest.approx(np.mean(accuracies))
    assert found["standard_deviation"] == pytest.approx(np.std(accuracies, ddof=1))
    assert found["ci95"][0] < found["accuracy"] < found["ci95"][1]
    assert summary(tables[:1])["standard_deviation"] is None


def test_the_gain_of_several_seeds():
    first = [table(accuracy, seed) for seed, accuracy in enumerate((0.5, 0.52, 0.51))]
    second = [table(accuracy, 9 + seed) for seed, accuracy in enumerate((0.56, 0.57, 0.59))]
    found = gain(first, second, paired=True)
    by_seed = [summary(tables)["by_seed"] for tables in (first, second)]
    assert found["accuracy"] == pytest.approx(np.mean(by_seed[1]) - np.mean(by_seed[0]))
    assert found["t_test_p"] == pytest.approx(ttest_rel(*by_seed).pvalue)
    assert found["p"] < 0.001
    assert found["equivalent_within"] == pytest.approx(found["ci95"][1], abs=0.02)
    one = gain(first, second[:1], paired=False)  # three models against one
    assert one["accuracy"] == pytest.approx(by_seed[1][0] - np.mean(by_seed[0]))


def test_the_bound_of_a_gain_is_that_of_one_model_each():
    first, second = table(0.5, 0), table(0.49, 1)
    below = gain([first], [second], paired=False)["below"]
    assert below == pytest.approx(gain_bound(first, second))
    assert below < gain([first], [second], paired=False)["equivalent_within"]


def test_the_log_loss_is_that_of_the_labels():
    first, second = [table(0.5, 1), table(0.52, 2)], [table(0.6, 3)]
    rights = [(one["label"] == one["prediction"]).mean() for one in first]
    by_seed = [-share * np.log(0.7) - (1 - share) * np.log(0.05) for share in rights]
    found = log_loss(first)
    assert found["by_seed"] == pytest.approx(by_seed)
    assert found["mean"] == pytest.approx(np.mean(by_seed))
    change = log_loss_change(first, second)
    assert change["mean"] == pytest.approx(log_loss(second)["mean"] - found["mean"])
    assert found["ci95"][0] < found["mean"] < found["ci95"][1]
    assert change["ci95"][0] < change["mean"] < change["ci95"][1] < 0
    # As wide as where the means of other faces like these would lie.
    losses = -np.log(second[0]["probabilities"][np.arange(FACES), second[0]["label"]])
    drawn = np.random.default_rng(0).choice(losses, (4000, FACES)).mean(axis=1)
    expected = np.quantile(drawn, [0.025, 0.975])
    assert log_loss(second)["ci95"] == pytest.approx(expected, abs=0.02)


def test_a_face_held_impossible_costs_as_much_as_six_decimals_can_tell():
    certain = predictions(np.arange(2), np.zeros(2, np.uint8), np.eye(7, dtype=np.float32)[[0, 1]])
    assert log_loss([certain])["by_seed"] == pytest.approx([-np.log(1e-6) / 2])


CLASSIFIER = {"name": "resnet"}


def entry(sees, teacher="none", **more):
    objective = {"name": "cross_entropy" if teacher == "none" else "distillation"}
    return ReaderEntry.model_validate(
        {"sees": sees, "classifier": CLASSIFIER, "objective": objective | {"teacher": teacher}}
        | {"seeds": [1, 2]} | more
    )  # fmt: skip


@pytest.fixture
def figures(in_folder):
    """Results of a teacher, two readers of upper halves and their ensemble."""
    accuracies = {"whole": [0.8, 0.81], "hard": [0.5, 0.52], "taught": [0.56, 0.59], "both": [0.6]}
    for name, values in accuracies.items():
        for number, value in enumerate(values):
            seed = "all" if name == "both" else str(number + 1)
            folder = Path("data/readers/predictions") / name / seed
            folder.mkdir(parents=True)
            predicted = table(value, number)
            for split in ("validation", "test"):
                write_predictions(folder / f"{split}.csv", predicted)
            start = "weights/vgg16.pth" if name == "whole" else None
            metrics = {"view": "upper", "parameters": 1234, "pretrained": start}
            metrics["confidence"] = calibration(predicted, predicted, 0.3)
            write_json(f"readers/metrics/{name}/{seed}.json", metrics)
    folds = {"folds": 3, "faces": 700, "seen": {"accuracy": 0.9}, "unseen": {"accuracy": 0.77}}
    write_json("readers/teachers/whole.json", folds)
    write_json("data/faces/meta.json", {"source_sha256": "0"})
    readers = {
        "whole": entry("faces", folds=3), "hard": entry("halves"),
        "taught": entry("halves", "whole"),
    }  # fmt: skip
    both = Ensemble(sees="halves", members=["hard", "taught"])
    return results(Readers(readers, {"both": both}, {}), 0.3)


def test_masked_readers_are_compared_with_the_first_that_learns_from_labels(figures):
    assert figures["reference"] == "hard"
    gains = {name: row["gain"] for name, row in figures["readers"].items() if "gain" in row}
    assert list(gains) == ["taught", "both"]
    assert gains["taught"]["holm_p"] >= gains["taught"]["p"]
    assert gains["taught"]["t_test_p"] is not None
    assert gains["both"]["t_test_p"] is None
    assert gains["taught"]["log_loss"]["ci95"][1] < 0


def test_readers_of_groups_are_not_among_those_that_know_all_classes(figures):
    groups = {"name": "cross_entropy", "teacher": "none", "groups": [["angry", "disgust"]]}
    everyone = {
        "grouped": entry("halves", objective=groups), "hard": entry("halves"),
        "taught": entry("halves", "whole"),
    }  # fmt: skip
    for folder in (Path("data/readers/predictions"), Path("readers/metrics")):
        shutil.copytree(folder / "hard", folder / "grouped")
    found = results(Readers(everyone, {}, {}), 0.3)
    assert found["reference"] == "hard"
    assert list(found["readers"]) == ["hard", "taught"]
    assert "gain" in found["readers"]["taught"]


def test_the_table_and_the_figure_show_every_reader(figures):
    text = markdown(figures)
    for name in ("whole", "hard", "taught", "both"):
        assert f"| {name} " in text
    assert "77.0%" in text
    assert "| weights/vgg16.pth " in text
    losses = [row["test"]["log_loss"]["mean"] for row in figures["readers"].values()]
    assert all(f"| {value:.3f}" in text for value in losses)
    axes = draw(figures).axes
    assert [tick.get_text() for tick in axes[0].get_yticklabels()] == [
        "both", "taught", "hard", "whole",
    ]  # fmt: skip
    assert all(axis.get_xlabel() for axis in axes)


@pytest.mark.parametrize(("risk", "words"), [(0.3, "most 30 % of"), (0.025, "most 2.5 % of")])
def test_the_legend_gives_the_risk_as_it_is(figures, risk, words):
    assert words in markdown(figures | {"risk": risk})


def test_the_legend_names_whom_readers_are_compared_with_if_there_is_one(figures):
    assert "over `hard`, the first reader of upper halves" in markdown(figures)
    alone = {"whole": figures["readers"]["whole"]}
    text = markdown(figures | {"reference": None, "readers": alone})
    assert "None" not in text
    assert "first reader" not in text

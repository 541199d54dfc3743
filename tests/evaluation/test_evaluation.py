"""Figures of classifiers and reconstructions, against independent arithmetic."""

import contextlib
import json
import shutil
import subprocess
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from made_up import MADE, evaluate, table
from scipy.linalg import sqrtm
from scipy.stats import binomtest
from sklearn.metrics import (
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
)
from statsmodels.stats.multitest import multipletests
from torch import nn
from torchmetrics.functional.classification import multiclass_calibration_error
from torchmetrics.functional.image import (
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)
from torchmetrics.image.fid import FrechetInceptionDistance

from unmask.comparison.reconstructors import compare, headline, in_a_line
from unmask.comparison.tables import draw, markdown, write_results
from unmask.core.errors import UserError
from unmask.core.faces import HIDDEN
from unmask.core.files import read_json, write_json
from unmask.core.provenance import mismatch
from unmask.evaluation.metrics import accuracy, metrics
from unmask.evaluation.predictions import predictions, write_predictions
from unmask.evaluation.quality import assess
from unmask.evaluation.statistics import (
    calibration_error,
    draws,
    gain_bound,
    gain_interval,
    holm,
    interval,
    mcnemar_p,
    minimum_detectable_gain,
    wilson_interval,
)


def test_predictions_have_the_columns_that_are_promised(tmp_path):
    write_predictions(tmp_path / "test.csv", table([3, 4], [3, 5]))
    lines = (tmp_path / "test.csv").read_text().splitlines()
    assert lines[0] == "row,label,prediction,p_0,p_1,p_2,p_3,p_4,p_5,p_6"
    assert lines[1].split(",")[:3] == ["2", "3", "3"]
    assert [float(p) for p in lines[2].split(",")[3:]] == [0, 0, 0, 0, 0, 1, 0]


def random_table(seed, share, count=500):
    """Return predictions that are right with the probability `share`."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 7, count)
    return table(labels, np.where(random.random(count) < share, labels, (labels + 1) % 7))


def test_metrics_agree_with_arithmetic():
    test = table([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 0, 2])
    figures = metrics({"train": test, "validation": test, "test": test}, running_accuracy=0.5)
    assert figures["train"]["accuracy"] == pytest.approx(4 / 6)
    assert figures["train"]["running_accuracy"] == 0.5
    half = 1.96 * (0.25 / (6 + 1.96**2)) ** 0.5  # Wilson's interval around one half
    assert figures["train"]["running_ci95"] == pytest.approx([0.5 - half, 0.5 + half], abs=1e-4)
    assert figures["test"]["accuracy"] == pytest.approx(4 / 6)
    assert figures["test"]["per_class"]["angry"] == {
        "precision": pytest.approx(2 / 3),
        "recall": pytest.approx(2 / 3),
        "f1": pytest.approx(2 / 3),
        "faces": 3,
    }
    assert figures["test"]["macro_f1"] == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)
    assert figures["test"]["balanced_accuracy"] == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)
    assert np.array(figures["test"]["confusion"])[:3, :3].tolist() == [
        [2, 1, 0],
        [1, 1, 0],
        [0, 0, 1],
    ]
    assert np.sum(figures["test"]["confusion"]) == 6


@pytest.mark.parametrize("classes", [7, 3])
def test_metrics_agree_with_scikit_learn(classes):
    random = np.random.default_rng(0)
    labels, predicted = random.integers(0, classes, 300), random.integers(0, classes, 300)
    test = table(labels, predicted)
    figures = metrics({"train": test, "validation": test, "test": test}, 0.5)["test"]
    by_class = figures["per_class"].values()
    columns = [[of[key] for of in by_class] for key in ("precision", "recall", "f1", "faces")]
    expected = precision_recall_fscore_support(labels, predicted, labels=range(7), zero_division=0)
    np.testing.assert_allclose(columns, expected)
    assert figures["macro_f1"] == pytest.approx(f1_score(labels, predicted, average="macro"))
    assert figures["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(labels, predicted))
    for name, key in (
        ("accuracy", "ci95"),
        ("macro_f1", "macro_f1_ci95"),
        ("balanced_accuracy", "balanced_accuracy_ci95"),
    ):
        low, high = figures[key]
        assert 0 < low < figures[name] < high < 1


def test_the_interval_holds_the_true_accuracy_in_95_percent_of_samples():
    held = 0
    for seed in range(200):
        sample = random_table(seed, 0.62, 300)
        counts = confusion_matrix(sample["label"], sample["prediction"], labels=range(7))
        low, high = interval(accuracy(draws(counts)))
        held += low <= 0.62 <= high
    assert 0.92 < held / 200 < 0.98


def test_drawing_counts_is_drawing_faces():
    sample = random_table(0, 0.6, 200)
    counts = confusion_matrix(sample["label"], sample["prediction"], labels=range(7))
    random = np.random.default_rng(1)
    right = sample["label"] == sample["prediction"]
    classes = [right[sample["label"] == label] for label in range(7)]
    by_face = [
        np.concatenate([random.choice(of, len(of)) for of in classes]).mean() for _ in range(2000)
    ]
    assert interval(accuracy(draws(counts))) == pytest.approx(interval(np.array(by_face)), abs=0.01)


def test_the_interval_of_a_gain_counts_the_faces_on_which_two_classifiers_differ():
    first, second = random_table(0, 0.6), random_table(0, 0.7)
    low, high = gain_interval(first, second)
    right = [(t["label"] == t["prediction"]).astype(float) for t in (first, second)]
    gain, error = np.mean(right[1] - right[0]), np.std(right[1] - right[0]) / np.sqrt(500)
    assert (low, high) == pytest.approx((gain - 1.96 * error, gain + 1.96 * error), abs=0.004)
    assert gain_interval(first, first) == [0, 0]


def test_the_bound_of_a_gain_is_exceeded_in_one_sample_of_twenty():
    first, second = random_table(0, 0.6), random_table(0, 0.65)
    right = [(t["label"] == t["prediction"]).astype(float) for t in (first, second)]
    gain, error = np.mean(right[1] - right[0]), np.std(right[1] - right[0]) / np.sqrt(500)
    assert gain_bound(first, second) == pytest.approx(gain + 1.645 * error, abs=0.004)
    assert gain < gain_bound(first, second) < gain_interval(first, second)[1]
    assert gain_bound(first, first) == 0


def test_the_minimum_detectable_gain_is_shown_in_four_of_five_samples():
    # Of 1000 faces the two differ on 200, as often to the one's favour as to the other's.
    labels = np.zeros(1000)
    first = table(labels, np.repeat([0, 1, 1, 0], [100, 100, 400, 400]))
    second = table(labels, np.repeat([1, 0, 1, 0], [100, 100, 400, 400]))
    gain = minimum_detectable_gain(first, second, level=0.05)
    won = np.random.default_rng(0).binomial(200, (1 + gain * 1000 / 200) / 2, 2000)
    shown = np.mean([binomtest(int(number), 200).pvalue < 0.05 for number in won])
    assert shown == pytest.approx(0.8, abs=0.03)
    assert minimum_detectable_gain(first, second, level=0.05 / 13) > gain
    assert minimum_detectable_gain(first, first, level=0.05) is None


def test_the_calibration_error_by_hand():
    labels = np.array([0, 1, 2, 3])
    probabilities = np.full((4, 7), 0.0, np.float32)
    probabilities[:3, 0], probabilities[:3, 1] = 0.9, 0.1  # sure, and right once of three times
    probabilities[3, 3], probabilities[3, 4] = 0.6, 0.4  # less sure, and right
    expected = 3 / 4 * (0.9 - 1 / 3) + 1 / 4 * (1 - 0.6)
    error = calibration_error(predictions(np.arange(4), labels, probabilities))
    assert error == pytest.approx(expected, abs=1e-6)


def test_the_calibration_error_is_that_of_torchmetrics():
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 7, (500,), generator=generator)
    probabilities = torch.randn(500, 7, generator=generator).softmax(1)
    expected = multiclass_calibration_error(probabilities, labels, num_classes=7, n_bins=15)
    found = calibration_error(predictions(np.arange(500), labels.numpy(), probabilities.numpy()))
    assert found == pytest.approx(float(expected), abs=1e-6)


def test_mcnemar_is_the_binomial_test_of_the_faces_on_which_two_classifiers_differ():
    first, second = random_table(0, 0.6), random_table(0, 0.7)
    labels = first["label"]
    first, second = first["prediction"], second["prediction"]
    gained = int(((first != labels) & (second == labels)).sum())
    lost = int(((first == labels) & (second != labels)).sum())
    expected = binomtest(gained, gained + lost).pvalue
    assert mcnemar_p(table(labels, first), table(labels, second)) == pytest.approx(expected)


def test_a_classifier_does_not_differ_from_itself():
    assert mcnemar_p(table([0, 1], [0, 0]), table([0, 1], [0, 0])) == 1


def of_rows(rows):
    """Return predictions of two faces that stand in these rows of the source."""
    faces = table([0, 1], [0, 0])
    faces["row"] = rows
    return faces


@pytest.mark.parametrize(
    "test", [mcnemar_p, gain_interval, gain_bound, partial(minimum_detectable_gain, level=0.05)]
)
@pytest.mark.parametrize(
    "other",
    [
        of_rows([7, 8]),
        of_rows([3, 2]),
        table([1, 0], [0, 0]),  # the same rows of another source
        table([0, 1, 2], [0, 0, 2]),
        table([0], [0]),
    ],
)
def test_different_faces_are_not_paired(test, other):
    with pytest.raises(UserError, match="different faces"):
        test(table([0, 1], [0, 0]), other)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


def test_holm_is_that_of_statsmodels():
    p_values = np.random.default_rng(0).random(13) ** 3
    p_values[4] = p_values[9]
    np.testing.assert_allclose(holm(p_values), multipletests(p_values, method="holm")[1])


@pytest.mark.parametrize(("right", "faces"), [(0, 5), (5, 5), (1, 900), (431, 900)])
def test_the_interval_of_a_share_is_that_of_scipy(right, faces):
    expected = binomtest(right, faces).proportion_ci(method="wilson")
    np.testing.assert_allclose(wilson_interval(right / faces, faces), expected, atol=1e-12)


class ByBrightness(nn.Module):
    """A classifier that sorts faces by the mean of their lower half."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(7, 7, bias=False)
        nn.init.eye_(self.last.weight)

    def forward(self, faces):
        level = faces[:, :, 24:].mean(dim=(1, 2, 3)).mul(7).long().clamp(0, 6)
        return self.last(torch.eye(7)[level])


def faces_with_lower_halves(random, count=12):
    faces = random.integers(0, 256, (count, 48, 48), dtype=np.uint8)
    return faces, np.repeat(np.arange(3, dtype=np.uint8), count // 3), np.ones(count, bool)


def hidden(split):
    """Return labels of which those of the test split are hidden."""
    return np.where(split == 2, HIDDEN, 0).astype(np.uint8)


def test_a_perfect_reconstruction():
    faces, split, keep = faces_with_lower_halves(np.random.default_rng(0))
    noisy = faces.copy()
    noisy[:, 47] ^= 1
    figures = assess(ByBrightness(), faces, noisy, hidden(split), split, keep)
    assert set(figures) == {"train", "validation", "test"}
    assert figures["test"]["psnr_db"] > 60
    assert figures["test"]["ssim"] == pytest.approx(1, abs=1e-3)
    assert figures["test"]["expression_agreement"] == 1


def test_an_exact_reconstruction_has_a_psnr_that_json_can_hold():
    faces, split, keep = faces_with_lower_halves(np.random.default_rng(0))
    assert (
        assess(ByBrightness(), faces, faces, hidden(split), split, keep)["test"]["psnr_db"] == 100
    )


def test_only_the_generated_half_counts():
    random = np.random.default_rng(1)
    faces, split, keep = faces_with_lower_halves(random)
    stitched = faces.copy()
    stitched[:, 24:] = random.integers(0, 256, (12, 24, 48), dtype=np.uint8)
    figures = assess(ByBrightness(), faces, stitched, hidden(split), split, keep)
    test = split == 2
    difference = (faces[test, 24:].astype(float) - stitched[test, 24:]) / 255
    assert figures["test"]["l1"] == pytest.approx(np.abs(difference).mean(), rel=1e-4)
    expected = 10 * np.log10(1 / np.mean(difference**2))
    assert figures["test"]["psnr_db"] == pytest.approx(expected, rel=1e-4)
    assert figures["test"]["ssim"] < 0.1


def test_agreement_is_the_share_of_faces_that_keep_their_class():
    faces = np.zeros((12, 48, 48), np.uint8)
    stitched = faces.copy()
    stitched[[8, 9, 10], 24:] = 255
    split = np.repeat(np.arange(3, dtype=np.uint8), 4)
    figures = assess(ByBrightness(), faces, stitched, hidden(split), split, np.ones(12, bool))
    assert figures["test"]["expression_agreement"] == 0.25
    assert figures["train"]["expression_agreement"] == 1


def test_labels_are_compared_where_they_are_known():
    faces = np.zeros((12, 48, 48), np.uint8)
    split = np.repeat(np.arange(3, dtype=np.uint8), 4)
    labels = hidden(split)
    labels[split == 1] = [0, 0, 0, 5]
    figures = assess(ByBrightness(), faces, faces, labels, split, np.ones(12, bool))
    assert figures["validation"]["label_agreement"] == 0.75
    assert figures["train"]["label_agreement"] == 1
    assert "label_agreement" not in figures["test"]


def test_a_blurred_half_has_little_gradient_energy():
    random = np.random.default_rng(0)
    faces, split, keep = faces_with_lower_halves(random)
    blurred = faces.copy()
    blurred[:, 24:] = faces[:, 24:] // 2 + 60
    figures = assess(ByBrightness(), faces, blurred, hidden(split), split, keep)
    assert figures["test"]["gradient_energy"] == pytest.approx(0.25, abs=0.01)
    figures = assess(ByBrightness(), faces, faces, hidden(split), split, keep)
    assert figures["test"]["gradient_energy"] == 1


class Means(nn.Module):
    """A classifier whose last layer reads the mean of the upper and of the lower half."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(2, 7)

    def forward(self, faces):
        return self.last(torch.stack([half.mean((1, 2, 3)) for half in faces.chunk(2, 2)], 1))


def test_the_frechet_distance_is_that_of_two_normal_distributions():
    random = np.random.default_rng(0)
    levels = random.integers(40, 200, (300, 2, 1, 1))
    true = np.repeat(np.concatenate([levels] * 24, axis=2), 48, axis=3).reshape(300, 48, 48)
    stitched = true.copy()
    stitched[:, 24:] = true[:, 24:] // 2 + 30
    split = np.full(300, 2, np.uint8)
    split[:4] = [0, 0, 1, 1]
    true, stitched = true.astype(np.uint8), stitched.astype(np.uint8)
    figures = assess(Means(), true, stitched, hidden(split), split, np.ones(300, bool))

    def moments(faces):
        halves = faces[split == 2].reshape(-1, 2, 24 * 48).mean(2) / 255
        return halves.mean(0), np.cov(halves.T)

    (mean1, cov1), (mean2, cov2) = moments(true), moments(stitched)
    expected = ((mean1 - mean2) ** 2).sum() + np.trace(cov1 + cov2 - 2 * sqrtm(cov1 @ cov2).real)
    assert figures["test"]["frechet_distance"] == pytest.approx(expected, rel=1e-3)
    same = assess(Means(), true, true, hidden(split), split, np.ones(300, bool))
    assert same["test"]["frechet_distance"] == pytest.approx(0, abs=1e-8)


def test_two_faces_are_as_far_apart_as_their_features():
    true = np.full((3, 48, 48), 51, np.uint8)
    stitched = true.copy()
    stitched[:, 24:] = 102
    found = assess(Means(), true, stitched, hidden(np.arange(3)), np.arange(3), np.ones(3, bool))
    assert found["test"]["frechet_distance"] == pytest.approx(0.2**2)


def test_the_figures_of_pictures_are_those_of_torchmetrics():
    random = np.random.default_rng(0)
    true = random.integers(0, 256, (620, 48, 48), dtype=np.uint8)
    noise = random.integers(-60, 61, true.shape)
    stitched = np.clip(true + noise, 0, 255).astype(np.uint8)
    split = np.full(620, 2, np.uint8)
    split[:4] = [0, 0, 1, 1]
    classifier = nn.Sequential(nn.Flatten(), nn.Linear(48 * 48, 16), nn.ReLU(), nn.Linear(16, 7))
    found = assess(classifier, true, stitched, hidden(split), split, np.ones(620, bool))["test"]

    first, second = (torch.from_numpy(faces[4:, None]).float() / 255 for faces in (stitched, true))
    halves = first[:, :, 24:], second[:, :, 24:]
    expected = float(peak_signal_noise_ratio(*halves, data_range=1.0))
    assert found["psnr_db"] == pytest.approx(expected, rel=1e-6)
    expected = float(structural_similarity_index_measure(*halves, data_range=1.0))
    assert found["ssim"] == pytest.approx(expected, rel=1e-6)
    assert found["l1"] == pytest.approx(float((halves[0] - halves[1]).abs().mean()), rel=1e-6)
    distance = FrechetInceptionDistance(feature=Given(classifier[:3]), normalize=True)
    with torch.inference_mode():
        distance.update(second, real=True)
        distance.update(first, real=False)
    assert found["frechet_distance"] == pytest.approx(float(distance.compute()), rel=1e-6)


class Given(nn.Module):
    """What torchmetrics takes for its feature network."""

    num_features = 16

    def __init__(self, features):
        super().__init__()
        self.features = features

    def forward(self, images):
        return self.features(images)


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A folder in which `evaluated` was made."""
    folder = tmp_path_factory.mktemp("judged")
    with contextlib.chdir(folder):
        evaluate({"baseline": 0.4, "ceiling": 0.9, "good": 0.6, "idle": 0.41})
    return folder


@pytest.fixture
def evaluated(judged, in_folder):
    """Baseline, ceiling and two reconstructors on 400 test faces: `good` gains, `idle` does not."""
    shutil.copytree(judged, in_folder, dirs_exist_ok=True)


@pytest.mark.usefixtures("evaluated")
def test_better_is_said_only_where_the_test_says_so():
    models = compare(["idle", "good"])["models"]
    assert models["good"]["verdict"] == "better"
    assert models["good"]["holm_p"] < 0.05
    assert models["idle"]["gain"] > 0
    assert models["idle"]["verdict"] == "no difference shown"
    assert [models["good"]["rank"], models["idle"]["rank"]] == [1, 2]


@pytest.mark.usefixtures("evaluated")
def test_worse_is_said_where_the_test_says_so():
    table = "data/predictions/{}/test.csv"
    for file in ("metrics/classification/{}.json", table, f"{table}.sha256"):
        first, second = Path(file.format("baseline")), Path(file.format("good"))
        kept = first.read_text()
        first.write_text(second.read_text())
        second.write_text(kept)
    assert compare(["good"])["models"]["good"]["verdict"] == "worse"


@pytest.mark.usefixtures("evaluated")
def test_the_table_and_the_figure_show_every_row():
    figures = compare(["idle", "good"])
    first, _, second = (part.splitlines() for part in markdown(figures).split("\n\n")[:3])
    assert [line.split("|")[1].strip() for line in first] == [
        "classifier on", "-" * 21, "upper half (baseline)", "good", "idle", "true face (ceiling)",
    ]  # fmt: skip
    assert f"{figures['models']['good']['accuracy']:.1%} [" in first[3]
    assert [line.split("|")[1].strip() for line in second[2:]] == ["good", "idle"]
    assert "| none " in second[2]
    assert "| 1,234 (999) " in second[2]
    write_results(Path("compare"), figures, markdown(figures), draw(figures))
    assert Path("compare.png").stat().st_size > 1000


@pytest.mark.usefixtures("evaluated")
def test_only_what_is_named_is_compared():
    before = compare(["good"])
    evaluate({"removed": 0.95})  # by an earlier run, or on another branch
    assert compare(["good"]) == before
    assert list(before["models"]) == ["good"]


@pytest.mark.usefixtures("evaluated")
@pytest.mark.parametrize("name", ["baseline", "good", "ceiling"])
def test_metrics_and_predictions_of_different_runs_are_not_mixed(name):
    file = Path(f"metrics/classification/{name}.json")
    write_json(file, read_json("metrics/classification/idle.json"))
    with pytest.raises(UserError, match=rf"{name}\.json: not of the predictions"):
        compare(["good"])
    if name != "ceiling":
        with pytest.raises(UserError, match="not of the predictions"):
            headline("good")


@pytest.mark.usefixtures("evaluated")
@pytest.mark.parametrize("name", ["good", "ceiling"])
def test_classifiers_of_different_faces_are_not_compared(name):
    evaluate({name: 0.5}, seed=1)
    with pytest.raises(UserError, match="different faces"):
        compare(["good"])


@pytest.mark.usefixtures("evaluated")
def test_the_headline_has_the_promised_keys():
    figures = json.loads(json.dumps(headline("good")))
    assert list(figures) == ["model", "baseline", "final", "ceiling", "gain"]
    for block in ("baseline", "final", "ceiling"):
        for split in ("train", "validation"):
            assert set(figures[block][split]) == {"accuracy", "ci95"}
        assert set(figures[block]["test"]) == {"accuracy", "macro_f1", "ci95"}
        low, high = figures[block]["test"]["ci95"]
        assert low < figures[block]["test"]["accuracy"] < high
    gain = figures["final"]["test"]["accuracy"] - figures["baseline"]["test"]["accuracy"]
    assert figures["gain"]["accuracy"] == pytest.approx(gain)
    low, high = figures["gain"]["ci95"]
    assert low < gain < high
    assert figures["gain"]["mcnemar_p"] < 1e-6


@pytest.mark.usefixtures("evaluated")
def test_the_headline_is_also_one_line_for_the_screen():
    figures = headline("good")
    line = in_a_line(figures)
    assert "\n" not in line
    for name in ("baseline", "final", "ceiling"):
        assert f"{figures[name]['test']['accuracy']:.1%}" in line
    assert f"gain {100 * figures['gain']['accuracy']:+.1f} points" in line


@pytest.mark.usefixtures("evaluated")
def test_results_of_more_than_one_environment_are_reported(in_folder):
    figures = compare(["good"])
    assert figures["environments"] == [MADE["training"]]
    assert f"torch {torch.__version__}" in markdown(figures)
    path = Path("metrics/classification/good.json")
    metrics = read_json(path)
    metrics["made"]["training"] |= {"torch": "2.0.0"}
    write_json(path, metrics)
    text = markdown(compare(["good"]))
    assert "torch 2.0.0" in text
    assert f"torch {torch.__version__}" in text


@pytest.mark.usefixtures("evaluated")
def test_a_committed_result_that_was_made_elsewhere_is_reported(in_folder):
    figures, file = compare(["good"]), "metrics/compare.json"
    assert mismatch(figures, file) is None  # there is no repository
    other = figures | {"environments": [MADE["training"] | {"cpu": "AVX-1024"}]}
    for committed in (figures, other):
        write_json(file, committed)
        for command in ("init -q", "add metrics", "-c user.name=a -c user.email=a@b commit -qm a"):
            subprocess.run(["git", *command.split()], check=True)
        line = mismatch(figures, file)
        assert (line is None) == (committed is figures)
    assert "AVX-1024" in line
    assert MADE["training"]["cpu"] in line


def test_missing_predictions_are_named(in_folder):
    with pytest.raises(UserError, match=r"metrics/classification/baseline\.json"):
        headline("good")

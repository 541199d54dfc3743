"""Pages of results, against the predictions that are with them."""

import contextlib
import io
import runpy
import shutil
from pathlib import Path

import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from unmask.core.files import read_json

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "results/fer2013"
PAGE = RESULTS / "converged"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder to which the script wrote, and the lines that it printed."""
    folder = tmp_path_factory.mktemp("gains")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "results")
        script = runpy.run_path(str(ROOT / "results/every_gain.py"))
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            script["main"](RESULTS, folder)
    return folder, printed.getvalue().splitlines()


def near(gain):
    """Return a gain that another processor's rounding does not tell from `gain`."""

    def rounded(value):
        if isinstance(value, dict):
            return {key: rounded(inner) for key, inner in value.items()}
        return pytest.approx(value) if isinstance(value, float) else value

    return rounded(gain)


def test_the_page_shows_what_the_predictions_say(made):
    folder, printed = made
    found, shown = (read_json(place / "every_gain.json") for place in (folder, PAGE))
    assert found == {name: {**row, "gain": near(row["gain"])} for name, row in shown.items()}
    assert (folder / "every_gain.png").read_bytes().startswith(b"\x89PNG")
    page = [line.split() for line in (PAGE / "README.md").read_text("utf-8").splitlines()]
    for line in printed[2:]:
        assert line.split() in page


def test_the_ablation_shows_what_its_predictions_say(tmp_path):
    page = RESULTS / "readers/ablation"
    shutil.copytree(page / "predictions", tmp_path / "predictions")
    script = runpy.run_path(str(ROOT / "results/ablation.py"))
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        script["compare"](tmp_path, "hard")
    shown = (page / "README.md").read_text("utf-8").replace("`", "")
    lines = {" ".join(line.split()) for line in shown.splitlines()}
    for line in printed.getvalue().splitlines()[2:]:
        assert " ".join(line.split()) in lines


def test_a_gain_is_over_the_upper_halves_of_the_same_run(made):
    rows = read_json(made[0] / "every_gain.json")
    right = {}
    for name in ("baseline", "cnn_deep"):
        one = pd.read_csv(RESULTS / f"cleaned/predictions/{name}.csv.xz")
        right[name] = (one["label"] == one["prediction"]).mean()
    found = rows["cnn_deep, one of the thirteen"]["gain"]["accuracy"]
    assert found == pytest.approx(right["cnn_deep"] - right["baseline"])
    over_seeds = read_json(PAGE / "results.json")["readers"]["unet"]["gain"]
    row = rows["unet, trained longer"]
    assert row["seeds"] == 3
    assert row["gain"] == near(row["gain"] | over_seeds | {"holm_p": row["gain"]["holm_p"]})
    assert not [name for name in rows if name.startswith(("ceiling", "baseline", "hard"))]


def test_one_correction_is_over_all_of_them(made):
    gains = [row["gain"] for row in read_json(made[0] / "every_gain.json").values()]
    corrected = multipletests([each["p"] for each in gains], method="holm")[1]
    assert [each["holm_p"] for each in gains] == pytest.approx(list(corrected))

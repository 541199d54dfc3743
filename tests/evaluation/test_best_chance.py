"""The tables of reconstructors over seeds, from a run that never was."""

import contextlib
import io
import runpy
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up import evaluate

from unmask.core.files import read_json, write_json
from unmask.evaluation.statistics import gain_bound

SCRIPT = Path(__file__).resolve().parents[2] / "results/best_chance.py"
FACTS = {"parameters": 1234, "epochs": 8, "best_epoch": 5}
LOSSES = [0.4, 0.3, 0.2, 0.21, 0.19, 0.22, 0.23, 0.24]
HISTORY = [{"train/loss": loss, "validation/loss": loss} for loss in LOSSES]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """What the script prints of baseline and `good` from seeds 1 and 2, and `one` from seed 1."""
    folder = tmp_path_factory.mktemp("best")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_json("params.yaml", {"evaluate": {"seeds": [1, 2, 3]}})  # which is YAML
        for seed, shift in ((1, 0.0), (2, 0.02)):
            evaluate({"baseline": 0.4 + shift, "good": 0.5, "one": 0.38})
            for name in ("baseline", "good") if seed == 2 else ("baseline", "good", "one"):
                judged(name, seed)
        for name in ("good", "one"):
            learned(f"reconstructors/{name}")
            assessed(name, epochs=8)
        patch.syspath_prepend(SCRIPT.parent)
        script = runpy.run_path(str(SCRIPT))
        script["collect"](Path(), Path("best"), ["good", "one"])
        shutil.rmtree("data")
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            script["tables"](Path("best"))
    return folder / "best", " ".join(printed.getvalue().split())


def judged(name, seed):
    learned(f"seeds/{name}/{seed}")
    shutil.copytree(f"data/predictions/{name}", f"data/seeds/predictions/{name}/{seed}")
    Path(f"seeds/metrics/{name}").mkdir(parents=True, exist_ok=True)
    shutil.copy(f"metrics/classification/{name}.json", f"seeds/metrics/{name}/{seed}.json")


def learned(name):
    write_json(f"models/{name}/training.json", FACTS | {"history": HISTORY})
    write_json(f"logs/{name}.json", {"seconds_per_epoch": [1.0]})
    Path(f"data/training/{name}/pictures").mkdir(parents=True)
    Path(f"data/training/{name}/pictures/face.png").touch()


def assessed(name, epochs):
    file = Path(f"metrics/reconstruction/{name}.json")
    write_json(file, read_json(file) | {"model": FACTS | {"epochs": epochs}})


def test_a_gain_is_the_mean_over_seeds(table):
    folder, printed = table
    rows = read_json(folder / "results.json")["readers"]
    found = {
        path.name.split(".")[0]: pd.read_csv(path) for path in (folder / "predictions").iterdir()
    }
    right = {name: (one["label"] == one["prediction"]).mean() for name, one in found.items()}
    baseline = np.mean([right["baseline-1"], right["baseline-2"]])
    assert rows["good"]["gain"]["accuracy"] == pytest.approx(right["good-1"] - baseline)
    assert rows["good"]["gain"]["holm_p"] == pytest.approx(
        min(1, 2 * min(rows[name]["gain"]["p"] for name in ("good", "one")))
    )
    assert rows["one"]["gain"]["t_test_p"] is None, "one seed says nothing about seeds"
    assert rows["one"]["gain"]["below"] < gain_bound(found["baseline-1"], found["good-1"])
    for name in ("upper half", "good", "one"):
        assert f"| {name} | " in printed


def test_it_says_whether_training_still_improved(table):
    folder, printed = table
    found = read_json(folder / "results.json")["reconstructors"]["good"]
    assert (found["epochs"], found["best_epoch"]) == (8, 5)
    assert found["last_quarter"] == 0, "epochs 7 and 8 were no better than epoch 5"
    assert "0.1900 | 0.0%" in printed


def test_no_picture_is_collected(table):
    assert [path.name for path in table[0].rglob("*.png")] == ["curves.png"]


def test_what_was_assessed_before_the_last_training_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(SCRIPT.parent)
    write_json("params.yaml", {"evaluate": {"seeds": [1]}})
    evaluate({"good": 0.5})
    learned("reconstructors/good")
    assessed("good", epochs=2)
    with pytest.raises(SystemExit, match=r"good\.json: of another training; run `stages/assess"):
        runpy.run_path(str(SCRIPT))["collect"](Path(), Path("best"), ["good"])


def test_what_has_one_epoch_has_no_last_quarter(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(SCRIPT.parent)
    write_json("params.yaml", {"evaluate": {"seeds": [1]}})
    evaluate({"baseline": 0.4, "mean": 0.3})
    for name in ("baseline", "mean"):
        judged(name, 1)
    learned("reconstructors/mean")
    facts = FACTS | {"epochs": 1, "history": HISTORY[:1]}
    write_json("models/reconstructors/mean/training.json", facts)
    learned("reconstructors/good")
    assessed("mean", epochs=1)
    script = runpy.run_path(str(SCRIPT))
    evaluate({"good": 0.5})
    judged("good", 1)
    assessed("good", epochs=8)
    script["collect"](Path(), Path("best"), ["good", "mean"])
    script["tables"](Path("best"))
    assert read_json("best/results.json")["reconstructors"]["mean"]["last_quarter"] is None
    assert "| mean " in capsys.readouterr().out

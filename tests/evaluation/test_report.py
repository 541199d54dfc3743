"""The report and the collected results show what params.yaml names, and nothing that is left."""

import contextlib
import copy
import json
import pickle
import re
import runpy
import shutil
from html import unescape
from pathlib import Path

import pytest
import yaml
from made_up import evaluate
from PIL import Image

from nested import set_key
from unmask.comparison import seeds as over_seeds
from unmask.comparison import tables
from unmask.comparison.reconstructors import compare, headline
from unmask.comparison.seeds import results as seeds_results
from unmask.core.checksum import of_json
from unmask.core.errors import UserError
from unmask.core.files import read_json, write_json
from unmask.laboratory import results as laboratory
from unmask.laboratory.results import results
from unmask.params.laboratory import Experiment
from unmask.params.models import classifier_settings
from unmask.report import figures
from unmask.report.page import page

ROOT = Path(__file__).resolve().parents[2]
COLLECT = ROOT / "results/collect.py"
SOURCE = {"source": "sample.csv", "source_sha256": "5" * 64, "labels": "fer2013", "rows": 400}
SOURCE["synthetic"] = False  # a file of that name need not be the embedded sample
SHIPPED = yaml.safe_load((ROOT / "params.yaml").read_text())
PARAMS = {
    "recon": {"model": "good", "folds": 2, "teacher": "none"},
    "reconstructors": {"good": {}, "idle": {}},
    **{key: SHIPPED[key] for key in ("classifier", "classifiers", "train")},
    "evaluate": {"seeds": [1, 2]},
    "laboratory": {"honest": {"reconstructor": "train"}, "mixed": {"reconstructor": "all"}},
    "audit": {"remove": "exact", "flat": 0.65, "similarity": 0.9},
}
SHARE = [{"train/loss": 2.0, "validation/loss": 2.1}, {"train/loss": 1.0, "validation/loss": 1.9}]
INTERVALS = ("running_ci95", "train_ci95", "validation_ci95", "ci95")
ACCURACIES = ("running_accuracy", "train_accuracy", "validation_accuracy", "accuracy")


def train(name, source=SOURCE):
    """Write what training leaves of a model that never existed."""
    write_json(f"models/{name}/config.json", {"trained": dict(source)})
    write_json(f"models/{name}/training.json", {"history": SHARE})
    write_json(f"logs/{name}.json", {"seconds_per_epoch": [1.0, 2.0]})


def reconstruct(name, accuracy, source=SOURCE):
    """Write what the pipeline leaves of a reconstructor."""
    evaluate({name: accuracy})
    for kind in ("final", "reconstructors"):
        train(f"{kind}/{name}", source)


def experiments(names=("honest", "mixed"), source=SOURCE, model="good"):
    """Write the results of the laboratory."""
    rows = {}
    for name in names:
        entry = PARAMS["laboratory"].get(name, {"reconstructor": "folds"})
        rows[name] = {
            "injected": Experiment.model_validate(entry).injected,
            **dict.fromkeys(ACCURACIES, 0.5), **{key: [0.4, 0.6] for key in INTERVALS},
            "distance": 0.4, "reaches": False, "epochs": [[0.4, 0.5]],
        }  # fmt: skip
        train(f"laboratory/classifiers/{name}")
        write_json(f"laboratory/metrics/{name}.json", {"test": {}})
        shutil.copytree("data/predictions/good", f"data/laboratory/predictions/{name}",
                        dirs_exist_ok=True)  # fmt: skip
    paper = {"train": 0.8, "after": 0.966}
    found = {"model": model, "paper": paper, "experiments": rows}
    write_json("laboratory/results.json", found | of_run(source))


def seeds(numbers=(1, 2), source=SOURCE, model="good"):
    """Write the classifiers from several seeds and their results."""
    for name in ("baseline", model, "ceiling"):
        for seed in numbers:
            test = dict.fromkeys(("accuracy", "balanced_accuracy", "macro_f1"), 0.4 + seed / 100)
            write_json(f"seeds/metrics/{name}/{seed}.json", {"test": test})
            train(f"seeds/{name}/{seed}")
            shutil.copytree("data/predictions/good", f"data/seeds/predictions/{name}/{seed}",
                            dirs_exist_ok=True)  # fmt: skip
    found = seeds_results(model, numbers)
    write_json("seeds/results.json", found | of_run(source))


def of_run(source):
    """Return what results say of the faces and of the classifiers' settings."""
    settings = of_json(classifier_settings())
    return {"faces_sha256": of_json(source), "settings_sha256": settings}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder in which all pipelines have finished."""
    folder = tmp_path_factory.mktemp("finished")
    with contextlib.chdir(folder):
        finish()
    return folder


@pytest.fixture(scope="module", autouse=True)
def _drawn_once():
    """Let what is the same in many reports be drawn once: a drawing takes most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("accuracies", "curves", "laboratory", "reliability"):
            patch.setattr(figures, name, _kept(getattr(figures, name)))
        yield


def _kept(draw):
    drawings = {}

    def drawn(values):
        key = pickle.dumps(values)
        if key not in drawings:
            drawings[key] = draw(values)
        return drawings[key]

    return drawn


@pytest.fixture(autouse=True)
def _in_a_copy(finished, tmp_path, monkeypatch):
    shutil.copytree(finished, tmp_path / "run")
    monkeypatch.chdir(tmp_path / "run")


def finish():
    """Write what all pipelines leave, with two reconstructors, two seeds and two experiments."""
    Path("params.yaml").write_text(json.dumps(PARAMS))  # which is YAML
    Path("data/faces").mkdir(parents=True)
    write_json("data/faces/meta.json", SOURCE)
    Image.new("L", (9, 9)).save("data/sheet.png")
    evaluate({"baseline": 0.4, "ceiling": 0.9})
    for name in ("baseline", "ceiling"):
        train(name)
    reconstruct("good", 0.6)
    reconstruct("idle", 0.41)
    counts = ("kept", "exact_duplicate_images", "exact_duplicate_groups", "cross_split_groups",
              "test_duplicates_in_train", "validation_duplicates_in_train",
              "conflicting_label_groups", "flat_images")  # fmt: skip
    audit = dict.fromkeys(counts, 0) | {"rows": 400, "near_duplicates": None, "classes": {}}
    write_json("metrics/audit.json", audit)
    write_json("metrics/compare.json", compare(["good", "idle"]))
    write_json("metrics/headline.json", headline("good"))
    for name in ("compare.md", "compare.png"):
        Path("metrics", name).touch()
    for part in ("folds/0", "folds/1", "all/0"):
        train(f"laboratory/reconstructors/{part}")
    experiments()
    seeds()
    for folder in (".", "laboratory", "seeds"):
        Path(folder, "dvc.lock").touch()


def removed_reconstructor():
    reconstruct("removed_before", 0.7)


def nested_run():
    for kind in ("final", "reconstructors"):
        write_json(f"models/{kind}/good/removed_before/training.json", {"history": SHARE})


def metrics_of_another_branch():
    write_json("metrics/removed_before.json", {"accuracy": 0.123})
    write_json("metrics/classification/removed_before.json", {"accuracy": 0.123})


def metrics_of_the_sample():
    write_json("metrics/sample.json", {"removed_before": 0.123})


def removed_experiment_and_seed():
    train("laboratory/classifiers/removed_before")
    train("laboratory/reconstructors/folds/7")
    train("seeds/good/7")
    write_json("laboratory/metrics/removed_before.json", {"test": {}})
    write_json("seeds/metrics/good/7.json", {"test": {}})
    for folder in ("laboratory/predictions/removed_before", "seeds/predictions/good/7"):
        shutil.copytree("data/predictions/good", f"data/{folder}")


LEFT = [removed_reconstructor, nested_run, metrics_of_another_branch, metrics_of_the_sample,
        removed_experiment_and_seed]  # fmt: skip


@pytest.mark.parametrize("leave", LEFT)
def test_the_report_does_not_show_what_is_left(leave):
    before = page()
    assert "upper half (baseline)" in before
    assert "Not run for these faces" not in before
    leave()
    assert page() == before


def test_the_report_has_every_table_and_legend_as_the_results_have_them():
    text = " ".join(unescape(re.sub("<[^>]+>", " ", page())).split())
    made = {"metrics/compare": tables, "seeds/results": over_seeds}
    made["laboratory/results"] = laboratory
    for file, module in made.items():
        words = re.sub(r"[`|]|-{3,}", " ", module.markdown(read_json(f"{file}.json")))
        for part in words.split("\n\n"):
            assert " ".join(part.split()) in text


@pytest.mark.parametrize(
    ("overwrite", "section"),
    [
        (lambda: experiments(source={**SOURCE, "source_sha256": "6" * 64}), "experiments"),
        (lambda: experiments(source={**SOURCE, "labels": "ferplus"}), "experiments"),
        (lambda: experiments(model="idle"), "experiments"),
        (lambda: experiments(("honest", "mixed", "removed_before")), "experiments"),
        (lambda: experiments(("honest",)), "experiments"),
        (lambda: write_json("laboratory/results.json", {"planted": {}}), "experiments"),
        (lambda: seeds(source={**SOURCE, "source_sha256": "6" * 64}), "seeds"),
        (lambda: seeds(model="idle"), "seeds"),
        (lambda: seeds((1, 2, 7)), "seeds"),
        (lambda: seeds((1, 7)), "seeds"),
    ],
)
def test_results_of_other_faces_models_experiments_or_seeds_are_not_shown(overwrite, section):
    overwrite()
    text = page()
    assert text.count("Not run for these faces and this reconstructor") == 1
    assert f"with these {section}: <code>dvc repro" in text
    assert "removed_before" not in text


def test_an_experiment_that_was_changed_since_is_not_shown():
    mixed = {"reconstructor": "all", "train": {"epochs": 60}}
    changed = PARAMS | {"laboratory": PARAMS["laboratory"] | {"mixed": mixed}}
    Path("params.yaml").write_text(json.dumps(changed))
    assert "with these experiments: <code>dvc repro" in page()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("classifiers.paper_cnn.hidden", 8),
        ("train.classifier.epochs", 50),
        ("evaluate.augment", True),
    ],
)
def test_side_pipelines_of_other_classifiers_are_not_shown(key, value):
    changed = copy.deepcopy(PARAMS)
    set_key(changed, key, value)
    Path("params.yaml").write_text(json.dumps(changed))
    assert page().count("Not run for these faces and this reconstructor") == 2


def rename_params(*names):
    changed = PARAMS | {"reconstructors": {name: {} for name in names}}
    Path("params.yaml").write_text(json.dumps(changed))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda: rename_params("good"), "compare.json: not of the reconstructors in params.yaml"),
        (lambda: rename_params("good", "idle", "new"), "compare.json: not of the reconstructors"),
        (lambda: train("ceiling", {**SOURCE, "source_sha256": "6"}), "models/ceiling: trained on"),
        (lambda: train("final/idle", {**SOURCE, "labels": "ferplus"}), "models/final/idle: traine"),
        (lambda: write_json("metrics/audit.json", {"rows": 7}), "audit.json: of other faces"),
        (lambda: shutil.rmtree("models/reconstructors/idle"), "idle/config.json: no such file"),
    ],
)
def test_a_report_that_would_mix_runs_is_refused(change, message):
    change()
    with pytest.raises(UserError) as error:
        page()
    assert message in str(error.value)
    assert "run `dvc repro`" in str(error.value)


def collect(what):
    """Collect a pipeline into a folder that is emptied first; return its files and contents."""
    shutil.rmtree("collected", ignore_errors=True)
    Path("collected").mkdir()
    runpy.run_path(str(COLLECT))[what](Path(), Path("collected"))
    files = [path for path in Path("collected").rglob("*") if path.is_file()]
    return {path.relative_to("collected").as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("what", ["pipeline", "laboratory", "seeds"])
def test_collected_is_what_params_names(what):
    before = collect(what)
    assert len(before) > 10
    for leave in LEFT:
        leave()
    after = collect(what)
    assert after.keys() == before.keys()
    assert after == before
    assert not [name for name in after if "removed_before" in name or "7" in name]


def readers(numbers, source=SOURCE, more=()):
    """Write two readers, one with seeds of its own, and their results; `more` have none."""
    rows = {"hard": numbers, "whole": [1]}
    for name, seeds in rows.items():
        for seed in seeds:
            write_json(f"readers/metrics/{name}/{seed}.json", {"test": {}})
            train(f"readers/{name}/{seed}")
            shutil.copytree("data/predictions/good", f"data/readers/predictions/{name}/{seed}",
                            dirs_exist_ok=True)  # fmt: skip
    shown = {name: {"seeds": [str(seed) for seed in seeds]} for name, seeds in rows.items()}
    write_json("readers/results.json", {"faces_sha256": of_json(source), "readers": shown})
    entries = {"hard": {}, "whole": {"seeds": [1]}} | {name: {} for name in more}
    params = PARAMS | {"readers": entries}
    Path("params.yaml").write_text(json.dumps(params))


def test_readers_are_collected_from_each_of_their_seeds():
    readers([1, 2])
    train("readers/removed_before/1")
    files = collect("readers")
    models = ["hard/1", "hard/2", "whole/1"]
    assert {f"metrics/{model}.json" for model in models} <= files.keys()
    tables = {f"predictions/{model.replace('/', '-')}.csv.xz" for model in models}
    assert {name for name in files if name.startswith("predictions/")} == tables
    for model in models:
        trained = read_json(f"collected/training/readers/{model}.json")
        assert (trained["history"], trained["seconds_per_epoch"]) == (SHARE, [1.0, 2.0])
    assert "results.json" in files
    assert not [name for name in files if "removed_before" in name]


@pytest.mark.parametrize(
    ("overwrite", "what"),
    [
        (lambda: readers([1, 2], {**SOURCE, "labels": "ferplus"}), "readers"),
        (lambda: readers([1, 7]), "readers"),
        (lambda: readers([1, 2], more=["new"]), "readers"),
        (lambda: experiments(source={**SOURCE, "source_sha256": "6"}), "laboratory"),
        (lambda: experiments(("honest",)), "laboratory"),
        (lambda: seeds(source={**SOURCE, "labels": "ferplus"}), "seeds"),
        (lambda: seeds((1, 2, 7)), "seeds"),
        (lambda: rename_params("good"), "pipeline"),
    ],
)
def test_results_of_another_run_are_not_collected(overwrite, what):
    overwrite()
    with pytest.raises(SystemExit) as stop:
        collect(what)
    assert "run `dvc repro" in str(stop.value)
    assert not list(Path("collected").iterdir())


def test_collected_runs_are_compared_on_the_same_faces_alone(capsys):
    side_by_side = runpy.run_path(str(ROOT / "results/side_by_side.py"))["main"]
    collect("pipeline")
    shutil.move("collected", "first")
    evaluate({"good": 0.5})
    write_json("metrics/compare.json", compare(["good", "idle"]))
    collect("pipeline")
    side_by_side(Path("first"), Path("collected"))
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| good")]
    assert " -" in line
    metrics = read_json("first/metrics/classification/good.json")
    metrics["test"]["accuracy"] = 0.99
    write_json("first/metrics/classification/good.json", metrics)
    with pytest.raises(SystemExit, match="first: metrics and predictions of good differ"):
        side_by_side(Path("first"), Path("collected"))
    evaluate({"baseline": 0.4, "ceiling": 0.9, "good": 0.6, "idle": 0.41}, seed=1)
    write_json("metrics/compare.json", compare(["good", "idle"]))
    shutil.move("collected", "second")
    collect("pipeline")
    with pytest.raises(UserError, match="different faces"):
        side_by_side(Path("second"), Path("collected"))


@pytest.mark.parametrize("accuracy", [0.6, 0.5 + 1e-6])
def test_metrics_and_training_of_different_experiments_are_not_mixed(accuracy):
    write_json("laboratory/metrics/honest.json", {"train": {"running_accuracy": 0.5}, "test": {}})
    best = {"train/accuracy": accuracy}
    write_json("models/laboratory/classifiers/honest/training.json", {"best": best})
    with pytest.raises(UserError, match=r"metrics/honest\.json: not of its classifier; run"):
        results("good", {"honest": Experiment(reconstructor="train")})


def test_reconstructors_of_one_epoch_have_no_curves_to_draw(tmp_path):
    write_json(tmp_path / "training/reconstructors/brief.json", {"history": [SHARE]})
    runpy.run_path(str(COLLECT))["curves"](tmp_path)
    assert not (tmp_path / "curves.png").exists()

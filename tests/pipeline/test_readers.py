"""The pipeline of readers: in which order, what an edit reruns, and what its stages depend on."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from clone import ROOT, SEEDS, Clone, lock, stages_run
from dvc.repo import Repo
from huggingface_hub import metadata_load
from huggingface_hub.repocard_data import model_index_to_eval_results
from imports import covered, imported_files

import unmask

pytestmark = pytest.mark.slow

FILE = "readers/dvc.yaml"
RESNET = {"name": "resnet", "width": 2, "blocks": 1, "dropout": 0.0}
LABELS = {"name": "cross_entropy", "teacher": "none"}
TAUGHT = {"name": "distillation", "teacher": "whole", "cross_fitted": True, "temperature": 2.0}
READERS = {
    "taught": {"sees": "halves", "classifier": RESNET, "objective": TAUGHT, "start": "teacher"},
    "hard": {"sees": "halves", "classifier": RESNET, "objective": LABELS},
    "whole": {"sees": "faces", "classifier": RESNET, "objective": LABELS, "folds": 2},
}  # the student first: what counts is not the order of the entries
ENSEMBLES = {"both": {"sees": "halves", "members": ["hard", "taught"]}}
AVERAGES = {"drawn": {"reconstructor": "mean_face", "reader": "whole", "samples": 1}}

# Of the teachers' architectures, DVC knows by their weights.
SHARED = {"src/unmask/classifiers/ensemble.py"}


def _few(params):
    params |= {"readers": READERS, "ensembles": ENSEMBLES, "unsure": {"risk": 0.3}}
    params["posterior_averages"] = AVERAGES
    params["release"] = {"reader": "taught", "seed": SEEDS[-1]}


def ran(printed):
    """Return the stages of this pipeline that DVC ran, in order."""
    ours = [stage for stage in stages_run(printed) if stage.startswith(FILE)]
    return [stage.partition(":")[2] for stage in ours]


@pytest.fixture(scope="module")
def first(made, tmp_path_factory):
    """A clone after `dvc repro readers/dvc.yaml`, and the stages that ran; not to be changed."""
    clone = Clone(made / "reproduced").copy(tmp_path_factory.mktemp("readers") / "clone")
    clone.set_params(_few)
    stages = ran(clone.dvc("repro", FILE))
    clone.commit("readers")
    return clone, stages


@pytest.fixture
def readers(first, tmp_path):
    """A copy of that clone to do with as one likes."""
    return first[0].copy(tmp_path / "clone")


def test_a_teacher_is_made_before_its_student(first):
    _, stages = first
    count = 3 * len(READERS) + 2 * len(ENSEMBLES) + 2 * len(AVERAGES) + 1
    assert len(stages) == len(set(stages)) == count
    order = ["train_reader@whole", "teach@whole", "train_reader@taught", "ensemble@both"]
    order += ["evaluate_ensemble@both", "readers_results"]
    assert sorted(order, key=stages.index) == order
    order = ["train_reader@whole", "average_posterior@drawn", "evaluate_posterior_average@drawn"]
    assert sorted(order, key=stages.index) == order


def test_a_second_repro_runs_nothing(first):
    assert stages_run(first[0].dvc("repro", FILE)) == []


def test_every_model_is_judged_and_compared(first):
    path = first[0].path
    found = json.loads((path / "readers/results.json").read_text())
    assert set(found["readers"]) == {*READERS, *ENSEMBLES, *AVERAGES}
    assert found["reference"] == "hard"
    for name in READERS:
        row = found["readers"][name]
        files = [path / f"readers/metrics/{name}/{seed}.json" for seed in SEEDS]
        metrics = [json.loads(file.read_text()) for file in files]
        assert row["test"]["by_seed"] == [each["test"]["accuracy"] for each in metrics]
        assert row["parameters"] == metrics[0]["parameters"] > 0
    parameters = found["readers"]["both"]["parameters"]
    assert parameters == 4 * found["readers"]["hard"]["parameters"]
    for file in (path / "readers/metrics/drawn").iterdir():
        judged = json.loads(file.read_text()).keys() & {"train", "validation", "test"}
        assert judged == {"validation", "test"}  # to draw halves of training faces would take hours
    drawn = found["readers"]["drawn"]
    assert (drawn["view"], drawn["seeds"]) == ("upper", found["readers"]["whole"]["seeds"])
    assert {"gain"} == set(found["readers"]["taught"]) - set(found["readers"]["hard"])
    assert (path / "readers/results.png").read_bytes().startswith(b"\x89PNG")


def test_readers_are_compared_on_validation_faces_alone(readers, tmp_path):
    path = readers.path
    (path / "data/test_labels.npy").unlink()
    for words in (["judge", path, tmp_path], ["table", tmp_path]):
        command = [sys.executable, ROOT / "results/ablation.py", *words]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    _, _, *rows = (
        [cell.strip() for cell in row.split("|")[1:-1]] for row in done.stdout.split("\n")[:-1]
    )
    shown = {name: accuracy.partition(" ")[0] for name, _, accuracy, *_ in rows}
    assert set(shown) == set(READERS)
    gains = {name: gain for name, _, _, _, gain, *_ in rows}
    assert [name for name in READERS if not gains[name]] == ["hard"]
    for name in READERS:
        files = (path / "readers/metrics" / name).iterdir()
        found = [json.loads(file.read_text())["validation"]["accuracy"] for file in files]
        assert shown[name] == f"{np.mean(found):.1%}"
    assert len(list((tmp_path / "predictions").iterdir())) == len(SEEDS) * len(READERS)
    assert (tmp_path / "over_hard.png").read_bytes().startswith(b"\x89PNG")


def test_each_face_is_left_out_by_one_teacher(first):
    path = first[0].path
    fold = np.load(path / "models/teachers/whole/fold.npy")
    groups, keep = (np.load(path / f"data/audit/{name}.npy") for name in ("groups", "keep"))
    learned = (np.load(path / "data/faces/split.npy") == 0) & keep
    assert set(fold[learned]) == {0, 1}
    assert set(fold[~learned]) == {255}
    for group in np.unique(groups[learned]):
        assert len(set(fold[learned & (groups == group)])) == 1
    figures = json.loads((path / "readers/teachers/whole.json").read_text())
    assert figures["faces"] == learned.sum()
    assert 0 <= figures["unseen"]["accuracy"] <= 1
    kept = path / ".checkpoints/finished"
    assert [file for file in kept.rglob("*") if file.is_file()] == []


def test_an_edit_of_a_student_trains_no_teacher(readers):
    def warmer(params):
        params["readers"]["taught"]["objective"]["temperature"] = 3.0

    readers.set_params(warmer)
    stale = ran(readers.dvc("repro", "--dry", FILE))  # not what their outputs make stale later
    assert set(stale) == {"train_reader@taught", "teach@taught", "readers_results"}


def test_an_edit_of_a_teacher_trains_its_student_and_nobody_else(readers):
    status = json.loads(readers.dvc("status", "--json", FILE))
    assert status == {}
    readers.set_params(lambda params: params["readers"]["whole"].update(folds=3))
    stale = {stage.partition(":")[2] for stage in json.loads(readers.dvc("status", "--json", FILE))}
    assert stale == {"train_reader@whole", "teach@whole", "readers_results"}
    others = [f"{FILE}:train_reader@{name}" for name in ("taught", "hard")]
    trained = [stage for stage in ran(readers.dvc("repro", *others)) if stage.startswith("train")]
    assert trained == ["train_reader@whole", "train_reader@taught"]


def test_a_new_reader_is_one_entry(readers):
    entry = {"sees": "halves", "classifier": RESNET, "train": {"epochs": 1}}
    entry["objective"] = {"name": "distillation", "teacher": "both", "temperature": 2.0}
    readers.set_params(lambda params: params["readers"].update(student_of_both=entry))
    stages = ran(readers.dvc("repro", FILE))
    assert stages[0] == "train_reader@student_of_both"
    assert stages[-1] == "readers_results"
    assert set(stages[1:-1]) == {"teach@student_of_both", "evaluate_reader@student_of_both"}
    assert "| student_of_both " in (readers.path / "readers/results.md").read_text()


def test_the_chosen_reader_is_released_and_nothing_trained(readers):
    release = "release/dvc.yaml"
    assert stages_run(readers.dvc("repro", release)) == [f"{release}:release"]
    folder = readers.path / "release/model"
    trained = readers.path / f"models/readers/taught/{SEEDS[-1]}"
    upper = torch.from_numpy(np.load(readers.path / "data/halves/upper.npy")[:20, None]) / 255
    released, full = unmask.load(folder), unmask.load(trained)
    torch.testing.assert_close(released(upper), full(upper), atol=0.01, rtol=0.01)
    half = (folder / "weights.safetensors").stat().st_size
    assert half < 0.7 * (trained / "weights.safetensors").stat().st_size
    found = json.loads((readers.path / f"readers/metrics/taught/{SEEDS[-1]}.json").read_text())
    calibration = json.loads((folder / "calibration.json").read_text())
    assert calibration["temperature"] == found["confidence"]["temperature"]
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    (shares,) = session.run(None, {"upper": upper.numpy()})
    wanted = (released(upper) / calibration["temperature"]).softmax(1)
    torch.testing.assert_close(torch.from_numpy(shares), wanted, atol=1e-4, rtol=0)

    card = metadata_load(folder / "README.md")
    (result,) = model_index_to_eval_results(card["model-index"])[1]
    assert result.metric_value == pytest.approx(found["test"]["accuracy"], abs=1e-4)
    assert card["license"] == "mit"
    assert "dvc repro release/dvc.yaml" in (folder / "README.md").read_text()
    assert Repo(readers.path).artifacts.read()[release]["reader"].path == "model"

    (stage,) = lock(readers, "release/dvc.lock").values()
    assert _wrong(readers, stage) == (set(), set())
    committed = [path for path in (ROOT / "release/reader").iterdir() if path.is_file()]
    for path in committed:  # of FER2013, and what `predict` uses
        assert (readers.path / "release/reader" / path.name).read_bytes() == path.read_bytes()


def _name(stage):
    """Return what the trace of a stage is named after."""
    script, *words = stage["cmd"].split()[1:]
    return "@".join([Path(script).stem, *words])


def _traced(clone, stage):
    return json.loads((clone.path / ".trace" / f"{_name(stage)}.json").read_text())


def _wrong(clone, stage):
    """Return what a stage runs or reads but does not depend on, and code that it does not run."""
    traced = _traced(clone, stage)
    named = {part["path"] for kind in ("deps", "outs") for part in stage[kind]}
    runs = imported_files(ROOT / stage["cmd"].split()[1]) | set(traced["modules"])
    # The curves of folds are moved when all are there.
    read = {file for file in traced["files"] if (clone.path / file).exists()}
    code = {path for path in named if path.startswith("src/")}
    missing = {file for file in runs | read if not covered(file, named)}
    return missing, {path for path in code if not any(covered(file, {path}) for file in runs)}


def test_each_stage_depends_on_what_it_runs_and_reads(first):
    clone, _ = first
    wrong = {}
    for stage in lock(clone, "readers/dvc.lock").values():
        script = stage["cmd"].split()[1]
        if not script.startswith("stages/"):
            continue
        name = _name(stage)
        missing, idle = _wrong(clone, stage)
        missing -= SHARED
        if name.startswith("teach@") and name != "teach@whole":
            idle = set()  # it has no folds, and copies what is there
        if missing or idle:
            wrong[name] = {"missing": sorted(missing), "superfluous": sorted(idle)}
        reads_labels = "data/test_labels.npy" in _traced(clone, stage)["files"]
        assert reads_labels == (Path(script).stem == "evaluate_reader"), name
    assert not wrong

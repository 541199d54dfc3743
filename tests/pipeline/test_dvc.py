"""The pipeline as a user of DVC meets it, in a temporary clone without a remote."""

import csv
import json
import os
import shutil
import signal
import time

import numpy as np
import psutil
import pytest
import torch
import yaml
from clone import KEPT, ROOT, lock, stages_run
from imports import covered, imported_files

import unmask
from nested import set_key

pytestmark = pytest.mark.slow

OF_ONE_MODEL = [
    "train_reconstructor", "reconstruct", "stitch", "assess", "train_final", "evaluate_final",
]  # fmt: skip


def of_model(name):
    return {f"{stage}@{name}" for stage in OF_ONE_MODEL}


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*.json")}


def files(path):
    inside = path.rglob("*") if path.is_dir() else [path]
    return {file: file.read_bytes() for file in inside if file.is_file()}


def test_repro_headline_runs_the_chain_of_one_reconstructor(headlined):
    _, ran = headlined
    models = {stage.partition("@")[2] for stage in ran} - {""}
    assert models == {"unet"}
    assert ran[-1] == "headline"


def test_repro_makes_every_metric(reproduced):
    metrics = {
        path.relative_to(reproduced.path / "metrics").as_posix()
        for path in (reproduced.path / "metrics").rglob("*.json")
    }
    assert metrics == {
        "sample.json", "audit.json", "placement.json", "headline.json", "compare.json",
        *(f"classification/{name}.json" for name in ["baseline", "ceiling", *KEPT]),
        *(f"reconstruction/{name}.json" for name in KEPT),
    }  # fmt: skip


def test_metrics_have_the_keys_of_the_design(reproduced):
    def read(name):
        return json.loads((reproduced.path / "metrics" / name).read_text())

    assert list(read("audit.json")) == [
        "rows", "kept", "exact_duplicate_groups", "exact_duplicate_images", "cross_split_groups",
        "test_duplicates_in_train", "validation_duplicates_in_train", "conflicting_label_groups",
        "flat_images", "near_duplicates", "classes", "sha256",
    ]  # fmt: skip
    reconstruction = read("reconstruction/vgg16.json")
    assert list(reconstruction) == ["model", "train", "validation", "test", "made", "sha256"]
    assert reconstruction["model"]["pretrained"] == "none"
    for split in ("train", "validation", "test"):
        known = {"label_agreement"} if split != "test" else set()
        assert set(reconstruction[split]) == known | {
            "psnr_db", "ssim", "l1", "gradient_energy", "frechet_distance", "expression_agreement",
        }  # fmt: skip
    for name in ("baseline", "unet", "ceiling"):
        block = read(f"classification/{name}.json")
        assert set(block) == {"train", "validation", "test", "made", "sha256"}
        assert set(block["made"]) == {"revision", "training", "evaluation"}
        assert {"accuracy", "macro_f1", "ci95", "confusion"} <= set(block["test"])
    assert list(read("compare.json")["models"]["unet"])[:1] == ["rank"]


def test_predictions_cover_validation_and_test(reproduced):
    for split, count in (("validation", 48), ("test", 48)):
        file = reproduced.path / "data/predictions/unet" / f"{split}.csv"
        with file.open() as lines:
            rows = list(csv.DictReader(lines))
        assert list(rows[0]) == ["row", "label", "prediction", *(f"p_{i}" for i in range(7))]
        assert len(rows) == count
        for row in rows:
            p = [float(row[f"p_{i}"]) for i in range(7)]
            assert sum(p) == pytest.approx(1, abs=1e-5)
            assert p[int(row["prediction"])] == max(p)


def test_halves_stitched_with_the_true_lower_half_would_be_the_faces(reproduced):
    data = reproduced.path / "data"
    faces = np.load(data / "faces/images.npy")
    np.testing.assert_array_equal(faces, np.load(data / "ingested/images.npy"))  # by rows
    upper, lower = np.load(data / "halves/upper.npy"), np.load(data / "halves/lower.npy")
    np.testing.assert_array_equal(np.concatenate([upper, lower], axis=1), faces)
    stitched = np.load(data / "stitched/unet/faces.npy")
    np.testing.assert_array_equal(stitched[:, :24], upper)
    generated = np.load(data / "reconstructed/unet/lower.npy")
    np.testing.assert_array_equal(stitched[:, 24:], generated)
    assert stitched.shape == faces.shape


def test_a_second_repro_runs_nothing(reproduced):
    printed = reproduced.dvc("repro")
    assert stages_run(printed) == []
    assert "Data and pipelines are up to date" in printed


def test_git_sees_no_data(reproduced):
    tracked = reproduced.run("git", "ls-files").splitlines()
    data = [name for name in tracked if name.startswith(("data/", "models/"))]
    assert all(name.endswith(".gitignore") for name in data)
    assert reproduced.run("git", "status", "--porcelain") == ""


def test_a_setting_of_one_reconstructor_makes_its_training_alone_stale(edited):
    edited.set_params(lambda params: params["reconstructors"]["unet"].update(width=3))
    stale = stages_run(edited.dvc("repro", "--dry"))  # not what their outputs make stale later
    assert set(stale) == {"check_params", "train_reconstructor@unet"}


def code_blocks(language):
    text = (ROOT / "CONTRIBUTING.md").read_text()
    return [block.partition("```")[0] for block in text.split(f"```{language}\n")[1:]]


def test_one_file_and_one_entry_make_another_reconstructor(clone):
    code, entry = (code_blocks(language)[0] for language in ("python", "yaml"))
    (clone.path / "src/unmask/reconstructors/low_rank.py").write_text(code)
    clone.set_params(lambda params: params["reconstructors"].update(yaml.safe_load(entry)))
    ran = stages_run(clone.dvc("repro"))
    assert set(ran) == {"check_params", *of_model("low_rank"), "compare", "sheet"}
    compared = json.loads((clone.path / "metrics/compare.json").read_text())
    assert set(compared["models"]) == {*KEPT, "low_rank"}
    assert "low_rank" in (clone.path / "metrics/compare.md").read_text()


def test_one_file_and_one_entry_make_another_classifier(clone):
    code, entry = (code_blocks(language)[1] for language in ("python", "yaml"))
    (name,) = yaml.safe_load(entry)
    (clone.path / f"src/unmask/classifiers/{name}.py").write_text(code)
    clone.set_params(lambda params: params["classifiers"].update(yaml.safe_load(entry)))
    ran = stages_run(clone.dvc("exp", "run", "-S", f"classifier={name}", "headline"))
    trained = {"train_baseline", "train_ceiling", "train_final@unet"}
    judged = {"evaluate_baseline", "evaluate_ceiling", "evaluate_final@unet"}
    assert set(ran) == {"check_params", *trained, *judged, "headline"}
    for folder in ("baseline", "ceiling", "final/unet"):
        config = json.loads((clone.path / f"models/{folder}/config.json").read_text())
        assert config["architecture"] == name
    headline = json.loads((clone.path / "metrics/headline.json").read_text())
    assert headline["model"] == "unet"


def test_every_trained_model_loads_from_another_folder(reproduced, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    models = reproduced.path / "models"
    folders = [path.parent for path in models.rglob("config.json")]
    assert len(folders) == 2 + 2 * len(KEPT)
    for folder in folders:
        model = unmask.load(folder)
        assert not model.training
        kind = folder.relative_to(models).parts[0]
        height = 48 if kind in ("ceiling", "final") else 24
        made = model(torch.rand(2, 1, height, 48))
        assert made.shape == ((2, 1, 24, 48) if kind == "reconstructors" else (2, 7))


def of_all(*stages):
    return {f"{stage}@{name}" for stage in stages for name in KEPT}


TRAIN_CLASSIFIERS = {"train_baseline", "train_ceiling", *of_all("train_final")}
EVALUATE = {"evaluate_baseline", "evaluate_ceiling", *of_all("evaluate_final")}
CHECK = {"check_params"}
MADE_STALE = {
    "classifiers/paper_cnn.py": CHECK | TRAIN_CLASSIFIERS | EVALUATE | of_all("assess"),
    "comparison/tables.py": {"compare"},
    "evaluation/quality.py": {"headline", "compare", *EVALUATE, *of_all("assess")},
    "pictures.py": {"audit", "sheet", *of_all("train_reconstructor")},
    "reconstructors/unet.py": CHECK | {"train_reconstructor@unet", "reconstruct@unet"},
    "reconstructors/vgg16.py": CHECK | {"train_reconstructor@vgg16", "reconstruct@vgg16"},
    "sample/canvas.py": {"make_sample"},
    "sources/head.py": {"ingest"},
    "training/process_group.py": CHECK | TRAIN_CLASSIFIERS | of_all("train_reconstructor"),
}  # fmt: skip


def test_an_edit_makes_those_stages_stale_that_use_the_file(edited):
    def changed():
        """Return the dependencies that have changed, by stage."""
        status = json.loads(edited.dvc("status", "--json"))
        return {
            stage: {dep for part in parts for dep in part.get("changed deps", {})}
            for stage, parts in status.items()
            if "dvc.yaml" not in stage
        }

    assert changed() == {}
    for name in MADE_STALE:
        with (edited.path / "src/unmask" / name).open("a") as file:
            file.write("# edited\n")
    found = changed()
    for name, expected in MADE_STALE.items():
        file = f"src/unmask/{name}"
        assert {stage for stage, deps in found.items() if covered(file, deps)} == expected, name
    assert set(found) == set().union(*MADE_STALE.values())


SIMPLE = ("ingest", "place", "crop", "reconstruct", "stitch", "evaluate_final")


def test_forced_runs_give_the_same_bytes(clone):
    stages = ["make_sample", "ingest", "audit", "place", "crop", "train_reconstructor@unet",
              "reconstruct@unet", "stitch@unet", "assess@unet", "train_final@unet",
              "evaluate_final@unet", "sheet"]  # fmt: skip
    for name in stages:
        stage = lock(clone)[name]
        outputs = [clone.path / out["path"] for out in stage["outs"]]
        before = [files(output) for output in outputs]
        for output in outputs:  # as DVC does
            shutil.rmtree(output) if output.is_dir() else output.unlink()
        # Most are not forked: nothing may depend on how a process was started, or on the seed of
        # its hashes. The others copy, or compute what a model says, and are too slow to start.
        clone.run(*stage["cmd"].split(), forked=name.partition("@")[0] in SIMPLE)
        assert [files(output) for output in outputs] == before, name


@pytest.fixture(scope="module")
def mistaken(reproduced, tmp_path_factory):
    """A clone whose params.yaml is about to be spoilt again and again."""
    return reproduced.copy(tmp_path_factory.mktemp("mistaken") / "clone")


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("recon.model", "vgg", "recon.model: vgg has no entry under"),
        ("data.source", "missing.csv", "data.source: no file or folder missing.csv"),
        ("data.votes", None, "data.votes: input should be a valid string, not "),
        ("data.source", False, "data.source: input should be a valid string, "),
    ],
)
def test_a_mistake_stops_the_pipeline_with_one_line(mistaken, key, value, line):
    metrics = contents(mistaken.path / "metrics")
    mistaken.run("git", "checkout", "--quiet", "params.yaml")
    mistaken.set_params(lambda params: set_key(params, key, value))
    printed = mistaken.dvc("repro", status=255)
    assert sum(text.startswith(f"error: params.yaml: {line}") for text in printed.splitlines()) == 1
    assert "Traceback" not in printed
    assert contents(mistaken.path / "metrics") == metrics


def test_plots_and_graph_are_shown(reproduced, tmp_path):
    reproduced.dvc("plots", "show", "--out", str(tmp_path / "plots"))
    page = (tmp_path / "plots/index.html").read_text()
    for word in ("accuracy", "loss", "discriminator_loss", "Confusion of the baseline"):
        assert word in page
    shown = {path.name for path in (tmp_path / "plots/static").iterdir()}
    for picture in ("compare.png", "sheet.png"):
        assert any(picture in name for name in shown)
    assert any("unet" in name and "epoch_001.png" in name for name in shown)
    graph = reproduced.dvc("dag")
    assert "train_reconstructor@unet" in graph


def test_training_that_asks_for_the_labels_of_the_test_split_fails(clone):
    for name in ("train_classifier", "train_reconstructor"):
        script = clone.path / f"stages/{name}.py"
        before, start, rest = script.read_text().partition("    keep = open_array(")
        asks = '    open_array("data/test_labels.npy")\n'
        script.write_text(before + asks + start + rest)
    stages = ["train_baseline", "train_final@unet", "train_reconstructor@unet"]
    printed = clone.dvc("repro", "--single-item", "--keep-going", *stages, status=255)
    refusal = "error: data/test_labels.npy: only the audit and the evaluation may read"
    assert printed.count(refusal) == len(stages_run(printed)) == len(stages)
    assert "Traceback" not in printed


def test_every_reconstructor_imports_nothing_that_its_stages_do_not_depend_on(reproduced):
    deps = lock(reproduced)["train_reconstructor@unet"]["deps"]
    named = {d["path"] for d in deps}
    entries = yaml.safe_load((ROOT / "params.yaml").read_text())["reconstructors"]
    for name, entry in entries.items():
        own = {
            f"src/unmask/reconstructors/{name}.py",
            f"src/unmask/objectives/{entry['objective']['name']}.py",
        }
        for file in own:
            assert all(covered(part, named | own) for part in imported_files(ROOT / file))


def train_for_ever(clone):
    """Start a training run that does not end, and return it when it has its first checkpoint."""

    def many(params):
        params["train"]["classifier"] |= {"epochs": 100000, "patience": 100000}

    clone.set_params(many)
    record = clone.path / "src/unmask/training/record.py"
    before, seconds, after = record.read_text().partition("SECONDS_BETWEEN_CHECKPOINTS = 10.0\n")
    assert seconds
    record.write_text(f"{before}SECONDS_BETWEEN_CHECKPOINTS = 0.5\n{after}")
    dvc = clone.start("dvc", "repro", "--single-item", "train_ceiling")
    checkpoint = clone.path / ".checkpoints/ceiling/last.safetensors"
    deadline = time.monotonic() + 120
    while not checkpoint.exists():
        assert dvc.poll() is None
        if time.monotonic() > deadline:
            os.killpg(dvc.pid, signal.SIGKILL)
            pytest.fail(f"no checkpoint within two minutes: {dvc.communicate()[0]}")
        time.sleep(0.05)
    return dvc, checkpoint


def test_ctrl_c_saves_the_state_and_says_how_to_go_on(clone):
    dvc, checkpoint = train_for_ever(clone)
    os.killpg(dvc.pid, signal.SIGINT)  # to DVC and the stage alike, as a terminal does
    printed, _ = dvc.communicate(timeout=60)
    assert dvc.returncode != 0
    assert "interrupted; run `dvc repro` to go on" in printed
    assert "Traceback" not in printed
    assert checkpoint.exists()
    assert not list(clone.path.rglob(".*.tmp"))


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
def test_a_stage_ends_with_the_dvc_that_was_killed(shell, clone, monkeypatch):
    monkeypatch.setenv("SHELL", shell)  # bash becomes the stage, Debian's sh waits for it

    dvc, checkpoint = train_for_ever(clone)
    stages = psutil.Process(dvc.pid).children(recursive=True)
    assert stages
    dvc.kill()
    dvc.wait()
    _, alive = psutil.wait_procs(stages, timeout=60)
    assert alive == []
    # killed while it writes the next checkpoint, it leaves the one before
    assert any(checkpoint.parent.glob("*last.safetensors"))


def test_what_python_leaves_beside_its_code_makes_no_stage_stale(edited):
    (edited.path / "src/unmask/core/__pycache__").mkdir(exist_ok=True)
    (edited.path / "src/unmask/core/__pycache__/faces.cpython-399.pyc").write_bytes(b"other")
    assert stages_run(edited.dvc("repro", "--dry")) == []


def test_packages_are_empty():
    """The one above them holds what a person imports, and imports nothing itself until then."""
    for file in (ROOT / "src/unmask").glob("*/**/__init__.py"):
        assert file.read_text() == "", file

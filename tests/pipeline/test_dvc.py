"""The pipeline as a user of DVC meets it, in a temporary clone without a remote."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from browser import opened
from clone import EXPERIMENTS, KEPT, ROOT, SEEDS, stages_run
from imports import imported_files

pytestmark = pytest.mark.slow

OF_ONE_MODEL = [
    "train_reconstructor", "reconstruct", "stitch", "assess", "train_final", "evaluate_final",
]  # fmt: skip


# What some reconstructors share, and DVC cannot name for those alone.
SHARED = {"src/unmask/reconstructors/parts"}


def of_model(name):
    return {f"{stage}@{name}" for stage in OF_ONE_MODEL}


def lock(clone, file="dvc.lock"):
    return yaml.safe_load((clone.path / file).read_text())["stages"]


def checksums(clone):
    outputs = {}
    for stage in lock(clone).values():
        outputs |= {out["path"]: out["md5"] for out in stage.get("outs", [])}
    return outputs


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
        "sample.json", "audit.json", "headline.json", "compare.json",
        *(f"classification/{name}.json" for name in ["baseline", "ceiling", *KEPT]),
        *(f"reconstruction/{name}.json" for name in KEPT),
    }  # fmt: skip


def test_metrics_have_the_keys_of_the_design(reproduced):
    def read(name):
        return json.loads((reproduced.path / "metrics" / name).read_text())

    assert list(read("audit.json")) == [
        "rows", "kept", "exact_duplicate_groups", "exact_duplicate_images", "cross_split_groups",
        "test_twins_in_train", "validation_twins_in_train", "conflicting_label_groups",
        "constant_images", "near_duplicates", "classes",
    ]  # fmt: skip
    reconstruction = read("reconstruction/vgg16.json")
    assert list(reconstruction) == ["model", "train", "validation", "test"]
    assert reconstruction["model"]["pretrained"] == "none"
    for split in ("train", "validation", "test"):
        assert set(reconstruction[split]) == {
            "psnr_db", "ssim", "l1", "frechet_distance", "expression_agreement",
        }  # fmt: skip
    for name in ("baseline", "unet", "ceiling"):
        block = read(f"classification/{name}.json")
        assert set(block) == {"train", "validation", "test"}
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
    assert stages_run(reproduced.dvc("repro", "--dry")) == []


def test_git_sees_no_data(reproduced):
    tracked = reproduced.run("git", "ls-files").splitlines()
    data = [name for name in tracked if name.startswith(("data/", "models/"))]
    assert all(name.endswith(".gitignore") for name in data)
    assert reproduced.run("git", "status", "--porcelain") == ""


def test_another_model_for_the_headline_trains_nothing(clone):
    ran = stages_run(clone.dvc("exp", "run", "-S", "recon.model=mean_face"))
    assert set(ran) == {"check_params", "headline"}
    headline = json.loads((clone.path / "metrics/headline.json").read_text())
    assert headline["model"] == "mean_face"


def test_the_model_of_the_headline_again_runs_nothing(clone):
    assert stages_run(clone.dvc("exp", "run", "-S", "recon.model=unet")) == []


def test_a_setting_of_one_model_retrains_it_alone(clone):
    ran = stages_run(clone.dvc("exp", "run", "-S", "reconstructors.unet.width=3"))
    assert set(ran) == {"check_params", *of_model("unet"), "headline", "compare", "sheet"}
    changed = clone.run("git", "diff", "--name-only").splitlines()
    assert "metrics/reconstruction/unet.json" in changed
    assert "metrics/reconstruction/vgg16.json" not in changed


@pytest.mark.parametrize("name", ["unet", "vgg16"])
def test_an_edit_of_one_reconstructor_reruns_its_stages_alone(clone, name):
    with (clone.path / f"src/unmask/reconstructors/{name}.py").open("a") as file:
        file.write("# edited\n")
    stale = stages_run(clone.dvc("repro", "--dry"))
    assert {f"train_reconstructor@{name}", f"reconstruct@{name}"} <= set(stale)
    assert set(stale) <= {*of_model(name), "headline", "compare", "sheet"}


def code_blocks(language):
    text = (ROOT / "CONTRIBUTING.md").read_text()
    return [block.partition("```")[0] for block in text.split(f"```{language}\n")[1:]]


def test_one_file_and_one_entry_make_another_reconstructor(clone):
    (code,), (entry,) = code_blocks("python"), code_blocks("yaml")
    (clone.path / "src/unmask/reconstructors/low_rank.py").write_text(code)
    clone.set_params(lambda params: params["reconstructors"].update(yaml.safe_load(entry)))
    ran = stages_run(clone.dvc("repro"))
    assert set(ran) == {"check_params", *of_model("low_rank"), "headline", "compare", "sheet"}
    compared = json.loads((clone.path / "metrics/compare.json").read_text())
    assert set(compared["models"]) == {*KEPT, "low_rank"}
    assert "low_rank" in (clone.path / "metrics/compare.md").read_text()


def test_forced_runs_give_the_same_checksums(clone):
    before = checksums(clone)
    stages = ["make_sample", "ingest", "audit", "crop", "train_baseline", "train_ceiling",
              "train_reconstructor@unet", "reconstruct@unet", "stitch@unet", "assess@unet",
              "train_final@unet", "evaluate_final@unet", "headline", "sheet",
              "compare"]  # fmt: skip
    ran = stages_run(clone.dvc("repro", "--force", "--single-item", *stages))
    assert ran == stages
    assert checksums(clone) == before


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("recon.model=vgg", "error: params.yaml: recon.model: vgg has no entry under"),
        ("train.classifier.epochs=ten", "error: params.yaml: train.classifier.epochs: "),
        (
            "data.source=missing.csv",
            "error: params.yaml: data.source: no file or folder missing.csv",
        ),
        ("+train.classifier.epoch=3", "error: params.yaml: train.classifier.epoch: unknown key"),
    ],
)
def test_a_mistake_stops_the_pipeline_with_one_line(clone, setting, line):
    metrics = {p: p.read_text() for p in (clone.path / "metrics").rglob("*.json")}
    printed = clone.dvc("exp", "run", "-S", setting, status=255)
    assert sum(line in text for text in printed.splitlines()) >= 1
    assert "Traceback" not in printed
    assert {p: p.read_text() for p in (clone.path / "metrics").rglob("*.json")} == metrics


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


@pytest.fixture(scope="module")
def report(reproduced):
    """The report of the reproduced pipeline."""
    assert stages_run(reproduced.dvc("repro", "report/dvc.yaml")) == ["report/dvc.yaml:report"]
    reproduced.commit("report")
    return reproduced.path / "report/index.html"


def test_the_report_shows_everything_without_a_network(report, reproduced):
    headline = json.loads((reproduced.path / "metrics/headline.json").read_text())
    with opened(report) as (page, complaints):
        text = page.inner_text("main")
        for block in ("baseline", "final", "ceiling"):
            assert f"{100 * headline[block]['test']['accuracy']:.1f} %" in text
        for words in (*KEPT, "Calibration", "What the audit found", "Model card", "torch"):
            assert words in text
        drawn = "[...document.images].every(image => image.naturalWidth > 100)"
        assert page.evaluate(drawn)
        assert page.locator("svg").count() == 3
        assert page.locator(".confusion").count() == 3
    assert complaints == []


def test_a_click_on_a_title_sorts_the_report(report):
    with opened(report) as (page, complaints):
        table = page.locator("table.sortable").first
        title = table.get_by_role("columnheader", name="macro F1")

        def column():
            cells = table.locator("tbody tr td:nth-child(5)").all_inner_texts()
            return [float(cell) for cell in cells]

        before = column()
        title.click()
        assert column() == sorted(before, reverse=True)
        title.click()
        assert column() == sorted(before)
        table.get_by_role("columnheader", name="verdict").click()
        verdicts = table.locator("tbody tr td:last-child").all_inner_texts()
        assert verdicts[-2:] == ["", ""]  # of baseline and ceiling, which are compared with none
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_fits_a_phone_by_day_and_by_night(report, scheme):
    phone = {"width": 390, "height": 844}
    with opened(report, viewport=phone, color_scheme=scheme) as (page, _):
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(255, 255, 255)") == (scheme == "light")


@pytest.fixture(scope="module")
def laboratory(reproduced):
    """The laboratory of the reproduced pipeline."""
    ran = stages_run(reproduced.dvc("repro", "laboratory/dvc.yaml"))
    assert {stage.partition(":")[0] for stage in ran} == {"laboratory/dvc.yaml"}
    reproduced.commit("laboratory")
    return reproduced.path / "laboratory"


def test_the_laboratory_puts_its_experiments_side_by_side(laboratory):
    found = json.loads((laboratory / "results.json").read_text())
    assert found["model"] == "unet"
    assert list(found["experiments"]) == list(EXPERIMENTS)
    table = (laboratory / "results.md").read_text()
    for name, figures in found["experiments"].items():
        metrics = json.loads((laboratory / "metrics" / f"{name}.json").read_text())
        assert figures["accuracy"] == metrics["test"]["accuracy"]
        assert f"| {name} " in table
    assert (laboratory / "results.png").read_bytes().startswith(b"\x89PNG")


def test_out_of_fold_faces_differ_from_the_pipelines_on_training_faces_alone(
    laboratory, reproduced
):
    data = reproduced.path / "data"
    split, keep = np.load(data / "faces/split.npy"), np.load(data / "audit/keep.npy")
    honest, folds = (
        np.load(data / f"laboratory/stitched/{name}/faces.npy") for name in ("train", "folds")
    )
    np.testing.assert_array_equal(honest, np.load(data / "stitched/unet/faces.npy"))
    differ = (honest != folds).any(axis=(1, 2))
    assert not differ[(split != 0) | ~keep].any()
    assert differ[(split == 0) & keep].mean() > 0.9


@pytest.mark.usefixtures("laboratory")
def test_one_experiment_can_be_changed_and_run_alone(clone):
    changed = "+laboratory.split_after_augmentation.choose=judged"
    target = "laboratory/dvc.yaml:evaluate@split_after_augmentation"
    ran = stages_run(clone.dvc("exp", "run", "-S", changed, target))
    assert ran == [
        f"laboratory/dvc.yaml:{stage}@split_after_augmentation"
        for stage in ("plant", "train", "evaluate")
    ]


@pytest.fixture(scope="module")
def seeds(reproduced):
    """The pipeline of seeds, for the reproduced pipeline."""
    reproduced.dvc("repro", "seeds/dvc.yaml")
    reproduced.commit("seeds")
    return reproduced.path / "seeds"


def test_seeds_are_put_side_by_side(seeds, reproduced):
    found = json.loads((seeds / "results.json").read_text())
    assert found["seeds"] == SEEDS
    for name in ("baseline", "unet", "ceiling"):
        accuracy = found["classifiers"][name]["accuracy"]
        files = [seeds / "metrics" / name / f"{seed}.json" for seed in SEEDS]
        accuracies = [json.loads(file.read_text())["test"]["accuracy"] for file in files]
        assert accuracy["by_seed"] == accuracies
        assert accuracy["mean"] == pytest.approx(np.mean(accuracies))
    # The pipeline's own seed gives the pipeline's own classifier.
    weights = "models/{}/weights.safetensors"
    for name, own in {"baseline": "baseline", "ceiling": "ceiling", "unet": "final/unet"}.items():
        again = reproduced.path / weights.format(f"seeds/{name}/1")
        assert again.read_bytes() == (reproduced.path / weights.format(own)).read_bytes()


@pytest.mark.usefixtures("report", "laboratory", "seeds")
def test_the_report_shows_other_pipelines_of_the_same_faces_and_model(clone):
    clone.dvc("repro", "report/dvc.yaml")
    with opened(clone.path / "report/index.html") as (page, complaints):
        laboratory = page.inner_text("#laboratory")
        assert all(name in laboratory for name in EXPERIMENTS)
        assert page.locator("#laboratory svg").count() == 1
        assert "upper half (baseline)" in page.inner_text("#seeds")
    assert complaints == []
    clone.dvc("exp", "run", "-S", "recon.model=mean_face", "report/dvc.yaml")
    text = (clone.path / "report/index.html").read_text()
    assert text.count("Not run for these faces and this reconstructor") == 2


def all_stages(clone):
    """Return what the locks say of each stage, by its command's words."""
    files = [f"{folder}dvc.lock" for folder in ("", "report/", "laboratory/", "seeds/")]
    stages = [stage for file in files for stage in lock(clone, file).values()]
    return {"@".join([Path(s["cmd"].split()[1]).stem, *s["cmd"].split()[2:]]): s for s in stages}


def covered(file, named):
    """Say whether a stage that depends on the files and folders `named` depends on `file`."""
    return not named.isdisjoint({file, *map(str, Path(file).parents)})


def traced(clone, stage):
    """Return what the stage loaded and opened when it ran."""
    return json.loads((clone.path / ".trace" / f"{stage}.json").read_text())


@pytest.mark.usefixtures("report", "laboratory", "seeds")
def test_each_stage_reads_what_it_depends_on_and_nothing_else(reproduced):
    read = {}
    for name, stage in all_stages(reproduced).items():
        read[name] = set(traced(reproduced, name)["files"])
        named = {part["path"] for kind in ("deps", "outs") for part in stage.get(kind, [])}
        if name == "report":  # is made anew whenever it is asked for
            named |= {"laboratory/results.json", "seeds/results.json"}
        assert {file for file in read[name] if not covered(file, named)} == set(), name
    sealed = {name.partition("@")[0] for name in read if "data/test_labels.npy" in read[name]}
    judges = {"audit", "evaluate_baseline", "evaluate_ceiling", "evaluate_final"}
    assert sealed == judges | {"laboratory_plant", "seeds_evaluate"}


@pytest.mark.parametrize(
    "stage", ["train_baseline", "train_final@unet", "train_reconstructor@unet"]
)
def test_training_that_asks_for_the_labels_of_the_test_split_fails(clone, stage):
    script = clone.path / f"stages/{stage.partition('@')[0]}.py"
    before, start, rest = script.read_text().partition("    keep = open_array(")
    asks = '    open_array("data/test_labels.npy")\n'
    script.write_text(before + asks + start + rest)
    printed = clone.dvc("repro", "--single-item", stage, status=255)
    assert "error: data/test_labels.npy: only the audit and the evaluation may read" in printed
    assert "Traceback" not in printed


@pytest.mark.usefixtures("report", "laboratory", "seeds")
def test_each_stage_depends_on_the_code_that_it_runs_and_on_no_other(reproduced):
    wrong = {}
    for name, stage in all_stages(reproduced).items():
        script = stage["cmd"].split()[1]
        named = {d["path"] for d in stage["deps"] if d["path"].startswith("src/")}
        # Parts that are built by name show only when the stage runs.
        runs = imported_files(ROOT / script) | set(traced(reproduced, name)["modules"])
        assert script in {d["path"] for d in stage["deps"]}
        shared = SHARED if "@" in name else set()
        if name == "laboratory_stitch@train":  # the pipeline has generated these already
            shared = shared | {"src/unmask/reconstructors/unet.py"}
        missing = {file for file in runs if not covered(file, named)}
        idle = {dep for dep in named - shared if not any(covered(file, {dep}) for file in runs)}
        if missing or idle:
            wrong[name] = {"missing": sorted(missing), "superfluous": sorted(idle)}
    assert not wrong


def test_every_reconstructor_imports_nothing_that_its_stages_do_not_depend_on(reproduced):
    deps = lock(reproduced)["train_reconstructor@unet"]["deps"]
    named = {d["path"] for d in deps}
    entries = yaml.safe_load((ROOT / "params.yaml").read_text())["reconstructors"]
    for name, entry in entries.items():
        own = {
            f"src/unmask/reconstructors/{name}.py",
            f"src/unmask/training/objectives/{entry['objective']['name']}.py",
        }
        for file in own:
            assert all(covered(part, named | own) for part in imported_files(ROOT / file))


def test_what_python_leaves_beside_its_code_makes_no_stage_stale(clone):
    (clone.path / "src/unmask/core/__pycache__").mkdir(exist_ok=True)
    (clone.path / "src/unmask/core/__pycache__/faces.cpython-399.pyc").write_bytes(b"other")
    assert stages_run(clone.dvc("repro", "--dry")) == []


def test_packages_are_empty():
    for file in Path(ROOT / "src/unmask").rglob("__init__.py"):
        assert len(file.read_text().splitlines()) <= 1, file

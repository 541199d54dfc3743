"""Report, laboratory and seeds, pipelines of their own; and what the stages of all depend on."""

import json
from pathlib import Path

import numpy as np
import pytest
from browser import chromium, opened
from clone import EXPERIMENTS, KEPT, ROOT, SEEDS, lock, stages_run
from imports import covered, imported_files

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser():
    """A headless browser."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def report(reproduced):
    """The report of the reproduced pipeline."""
    assert stages_run(reproduced.dvc("repro", "report/dvc.yaml")) == ["report/dvc.yaml:report"]
    reproduced.commit("report")
    return reproduced.path / "report/index.html"


def test_the_report_shows_everything_without_a_network(report, reproduced, browser):
    headline = json.loads((reproduced.path / "metrics/headline.json").read_text())
    with opened(browser, report) as (page, complaints):
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


def test_a_click_on_a_title_sorts_the_report(report, browser):
    with opened(browser, report) as (page, complaints):
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
def test_the_report_fits_a_phone_by_day_and_by_night(report, browser, scheme):
    phone = {"width": 390, "height": 844}
    with opened(browser, report, viewport=phone, color_scheme=scheme) as (page, _):
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
        "check_params",
        *(
            f"laboratory/dvc.yaml:{stage}@split_after_augmentation"
            for stage in ("inject", "train", "evaluate")
        ),
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
def test_the_report_shows_other_pipelines_of_the_same_faces_and_model(clone, browser):
    clone.dvc("repro", "report/dvc.yaml")
    with opened(browser, clone.path / "report/index.html") as (page, complaints):
        laboratory = page.inner_text("#laboratory")
        assert all(name in laboratory for name in EXPERIMENTS)
        assert page.locator("#laboratory svg").count() == 1
        assert "upper half (baseline)" in page.inner_text("#seeds")
    assert complaints == []
    ran = stages_run(clone.dvc("exp", "run", "-S", "recon.model=mean_face", "report/dvc.yaml"))
    assert set(ran) == {"check_params", "headline", "report/dvc.yaml:report"}  # nothing is trained
    headline = json.loads((clone.path / "metrics/headline.json").read_text())
    assert headline["model"] == "mean_face"
    text = (clone.path / "report/index.html").read_text()
    assert text.count("Not run for these faces and this reconstructor") == 2


def all_stages(clone):
    """Return what the locks say of each stage, by its command's words."""
    files = [f"{folder}dvc.lock" for folder in ("", "report/", "laboratory/", "seeds/")]
    stages = [stage for file in files for stage in lock(clone, file).values()]
    return {"@".join([Path(s["cmd"].split()[1]).stem, *s["cmd"].split()[2:]]): s for s in stages}


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
    assert sealed == {"audit", "evaluate_classifier", "laboratory_inject"}


@pytest.mark.usefixtures("report", "laboratory", "seeds")
def test_each_stage_depends_on_the_code_that_it_runs_and_on_no_other(reproduced):
    wrong = {}
    for name, stage in all_stages(reproduced).items():
        script = stage["cmd"].split()[1]
        named = {d["path"] for d in stage["deps"] if d["path"].startswith("src/")}
        # Parts that are built by name show only when the stage runs.
        runs = imported_files(ROOT / script) | set(traced(reproduced, name)["modules"])
        assert script in {d["path"] for d in stage["deps"]}
        called: set[str] = set()
        if name == "laboratory_stitch@train":  # the pipeline has generated these already
            called = {"src/unmask/reconstructors/unet.py"}
        missing = {file for file in runs if not covered(file, named)}
        idle = {dep for dep in named - called if not any(covered(file, {dep}) for file in runs)}
        if missing or idle:
            wrong[name] = {"missing": sorted(missing), "superfluous": sorted(idle)}
    assert not wrong


def test_a_sweep_queues_an_experiment_for_each_reconstructor_and_seed(clone):
    clone.run("sweeps/reconstructors.sh", "unet,mirror", "1,2", forked=True)
    queued = [line for line in clone.dvc("queue", "status").splitlines() if "Queued" in line]
    assert len(queued) == 4

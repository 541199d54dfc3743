"""Every benchmark runs on tiny inputs and prints complete tables; no timing is asserted."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import fork_server
import numpy as np
import pandas as pd
import pytest
import yaml

from unmask.core.faces import FaceBlock, FaceSetWriter
from unmask.core.files import save_array
from unmask.sample.synthetic import draw_splits

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
TINY = ["--rounds", "1", "--train", "16", "--validation", "8"]


def tables(text: str) -> list[list[list[str]]]:
    """Return the cells of each Markdown table, without the line under its header."""
    found, before = [], ""
    for line in text.splitlines():
        if line.startswith("| ---"):
            continue
        if line.startswith("|"):
            if not before.startswith("|"):
                found.append([])
            found[-1].append([cell.strip() for cell in line.strip("|").split("|")])
        before = line
    assert all(len(row) == len(rows[0]) for rows in found for row in rows)
    return found


def printed(script: str, *words: object, forked: bool = True) -> str:
    python = fork_server.programs() / "python" if forked else sys.executable
    return subprocess.run(
        [python, BENCHMARKS / script, *map(str, words)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},  # two workers share the cores
        check=True, stdout=subprocess.PIPE, text=True,
    ).stdout  # fmt: skip


@pytest.mark.parametrize(
    "script", ["photos.py nowhere", "readers.py nowhere", "../results/side_by_side.py nowhere gone"]
)
def test_a_path_that_is_not_there_is_one_line(script, tmp_path):
    name, *words = script.split()
    done = subprocess.run(
        [sys.executable, BENCHMARKS / name, *words],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "nowhere" in done.stderr
    assert done.stderr.count("\n") == 1


def test_ingest_is_compared_with_two_other_readers():
    text = printed("ingest.py", "--rounds", 1, "--faces", 70)
    [(head, *rows)] = tables(text)
    assert text.startswith("70 faces")
    assert [row[0] for row in rows] == ["unmask", "torchvision", "pandas"]
    assert all(row[head.index("peak MiB")] for row in rows)


def test_training_is_compared_with_plain_pytorch():
    [(_, *rows)] = tables(printed("training.py", *TINY, "--epochs", 2, "--sides", "pytorch"))
    assert [row[0] for row in rows] == ["unmask", "pytorch"]
    assert all(all(row) for row in rows)


def test_steps_are_compared_with_a_matrix_product():
    [(_, *rows)] = tables(printed("bound.py", "--rounds", 1, "--seconds", 0.01))
    assert [row[0] for row in rows] == [
        "training step, unmask", "training step, plain PyTorch", "matrix product"
    ]  # fmt: skip
    assert rows[2][2] == "100%"


def test_flat_images_are_judged_by_the_votes(faces, tmp_path):
    votes = pd.DataFrame({"neutral": 9, "NF": 1}, index=range(len(faces)))
    votes.loc[:1] = [0, 10]
    images = np.random.default_rng(0).integers(0, 256, faces.images.shape, dtype=np.uint8)
    images[[0, 5]] = 200  # the annotators say of one that it shows no face, and of the other not
    save_array(tmp_path / "faces" / "images.npy", images)
    votes.to_csv(tmp_path / "votes.csv")
    [(_, *rows)] = tables(printed("flat_images.py", tmp_path / "faces", tmp_path / "votes.csv"))
    assert {tuple(row[1:]) for row in rows} == {("2", "1", "50.0%", "50.0%")}


def test_a_reader_learns_from_faces_with_drawn_masks(few_faces, tmp_path):
    clone, points = tmp_path / "clone", np.random.default_rng(0).uniform(4, 44, (28, 468, 3))
    points[[0, 14, 27]] = np.nan  # no landmarks: one face of each split
    for name in ("images", "labels", "split", "row"):
        save_array(clone / f"data/faces/{name}.npy", getattr(few_faces, name))
    save_array(clone / "data/audit/keep.npy", np.ones(28, bool))
    shutil.copy(tmp_path / "few_faces/test_labels.npy", clone / "data")
    shutil.copy(BENCHMARKS.parent / "params.yaml", clone)
    np.save(tmp_path / "landmarks.npy", points.astype(np.float32))
    found = json.loads(printed(
        "drawn_masks.py", "learn", clone, "--landmarks", tmp_path / "landmarks.npy", "--epochs", 1,
        "--work", tmp_path / "work",
    ))  # fmt: skip
    counts = ("training_faces", "validation_faces", "faces", "without_landmarks")
    assert [found[name] for name in counts] == [13, 6, 6, 1]
    for views in (found["one view"], found["ten views"]):
        accuracy = {name: figures["accuracy"] for name, figures in views.items()}
        of_found, of_all, released = (accuracy[name] for name in (
            "test, with landmarks", "test, without landmarks wrong",
            "released, upper half, with landmarks",
        ))  # fmt: skip
        assert of_all == pytest.approx(of_found * 6 / 7)
        assert accuracy["gain"] == pytest.approx(of_found - released)


def test_action_units_of_drawn_halves_are_compared_with_the_true_ones(tmp_path):
    counts = {"train": 140, "validation": 35, "test": 35}
    order = np.repeat(np.arange(3, dtype=np.uint8), list(counts.values()))
    splits = draw_splits(counts, seed=3).values()
    images, labels, _ = map(np.concatenate, zip(*splits, strict=True))
    (tmp_path / "data/faces").mkdir(parents=True)
    with FaceSetWriter(tmp_path / "data/faces", tmp_path / "data/test_labels.npy") as writer:
        writer.append(FaceBlock(images, labels, order, np.arange(210)))
    mean = np.broadcast_to(images[:140].mean(axis=0), images.shape).astype(np.uint8)
    save_array(tmp_path / "data/stitched/perfect/faces.npy", images)
    save_array(tmp_path / "data/stitched/mean/faces.npy", mean)
    save_array(tmp_path / "data/stitched/of_an_entry_that_is_gone/faces.npy", mean)
    params = {"reconstructors": {"mean": {}, "perfect": {}}, "sample": counts | {"seed": 3}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    [(head, *rows)] = tables(printed("action_units.py", tmp_path))
    found = {name: dict(zip(head[1:], cells, strict=True)) for name, *cells in rows}
    assert list(found)[3:] == ["mean", "perfect"]
    assert found["perfect"] == found["true halves"]
    assert found["perfect"]["from the true half"] == "0.000"
    assert found["mean"]["agree"] == found["how frequent it is"]["agree"]
    assert float(found["perfect"]["squared"]) < float(found["mean"]["squared"])
    params["sample"]["seed"] = 4
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    with pytest.raises(subprocess.CalledProcessError):  # these are no faces of that seed
        printed("action_units.py", tmp_path)


@pytest.mark.rare
def test_reconstructors_are_compared_with_plain_pytorch():
    text = printed("reconstructors.py", "vgg16", *TINY, "--epochs", 2)
    for _, *rows in tables(text):  # images per second, and whole runs with kept features
        assert [row[0] for row in rows] == ["vgg16"]
        assert all(all(row) for row in rows)
    assert len(tables(text)) == 2


@pytest.mark.rare
def test_captured_steps_are_compared_with_kernels_launched_one_by_one():
    [(_, *rows)] = tables(printed("cuda_graph.py", "classifier", "cnn_simple", *TINY))
    assert [row[0] for row in rows] == ["classifier", "cnn_simple"]
    assert all(all(row) for row in rows)


@pytest.mark.rare
def test_what_the_machinery_is_worth_is_shown_part_by_part():
    sizes = ["--train", 16, "--validation", 8, "--faces", 70, "--more-faces", 140]
    [(_, *rows)] = tables(printed("machinery.py", "--rounds", 1, *sizes))
    assert len(rows) == 5
    assert all(row[1] for row in rows)


def test_growth_is_shown_by_stage_and_number_of_faces():
    text = printed("scaling.py", 70, 140, "--stages", "ingest", "place", "crop")
    [(_, *rows)] = tables(text)
    assert [row[:2] for row in rows] == [
        ["ingest", "70"], ["ingest", "140"], ["place", "70"], ["place", "140"],
        ["crop", "70"], ["crop", "140"],
    ]  # fmt: skip
    assert "stays within 4 GiB" in text


@pytest.mark.rare
def test_without_a_gpu_everything_runs_on_the_cpu_and_goes_on_when_the_time_was_over(tmp_path):
    page, words = tmp_path / "gpu.md", ["gpu.py", "--reduced", "--without-benchmarks", "--jobs", 2]
    words += ["--work", tmp_path / "work", "--output", page]
    printed(*words, "--minutes", 0.3, forked=False)  # 8 seconds to run in
    assert "The time was over before all stages had run." in page.read_text()
    [(_, *first)] = tables(page.read_text())
    assert first[-1][0] == "go 1, with DVC"
    printed(*words)
    assert "The time was over" not in page.read_text()
    [(_, *rows)] = tables(page.read_text())
    stages = [row[0] for row in rows]
    assert stages[: len(first) - 1] == [row[0] for row in first[:-1]]
    assert stages[-2:] == ["go 1, with DVC", "go 2, with DVC"]
    assert {"train_ceiling", "evaluate_final@unet", "assess@mean_face", "headline"} < set(stages)
    assert len(stages) == len(set(stages))  # nothing that had ended was run again
    assert "no CUDA device" in page.read_text()


@pytest.mark.rare
def test_batch_normalisation_of_two_processes_is_compared_with_that_of_one():
    text = printed("process_group.py", "unet", "--seeds", 1, "--reduced")
    [(_, (seed, one, two, _), mean)] = tables(text)
    assert seed == "1"
    assert one != two  # each process normalises over its own part of the batch
    assert mean[1:3] == [one, two]


def test_results_keep_the_sections_that_were_not_run_again(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import run_all

    page = tmp_path / "results.md"
    page.write_text("# Benchmarks\n\n## Ingest\n\nas it was\n")
    run_all.main(["scaling"], ["70", "--stages", "place", "ingest"], page)
    text = page.read_text()
    assert text.index("as it was") < text.index("## Growth")
    [(_, *rows)] = tables(text)
    assert [row[:2] for row in rows] == [["ingest", "70"], ["place", "70"]]
    run_all.main(["scaling"], ["140", "--stages", "ingest"], page)
    assert "as it was" in page.read_text()
    assert "| 70 |" not in page.read_text()

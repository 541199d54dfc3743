"""All readers at once without DVC: the same models as from the stages, and what is done stays."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from safetensors.numpy import load_file

ROOT = Path(__file__).resolve().parents[1]
BRIEF = {"epochs": 1, "patience": 1, "batch_size": 32}
NETWORK = {"name": "resnet", "width": 2, "blocks": 1, "dropout": 0.0}
TAUGHT = {"name": "distillation", "teacher": "whole", "cross_fitted": True}
READERS = {
    "whole": {"sees": "faces", "objective": {"name": "cross_entropy", "teacher": "none"},
              "folds": 2, "seeds": [1]},
    "student": {"sees": "halves", "objective": TAUGHT, "seeds": [1, 2]},
}  # fmt: skip

pytestmark = pytest.mark.rare


def run(folder, *command):
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a few faces, audited and cropped, and two readers in its parameters."""
    folder = tmp_path_factory.mktemp("readers")
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["sample"] |= {"train": 35, "validation": 14, "test": 14}
    params["readers"] = {
        name: {"classifier": NETWORK, "train": BRIEF, **entry} for name, entry in READERS.items()
    }
    params["ensembles"] = {"both": {"sees": "halves", "members": ["student", "student"]}}
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    for stage in ("make_sample", "ingest", "audit", "place", "crop"):
        run(folder, ROOT / f"stages/{stage}.py")
    return folder


@pytest.fixture(scope="module")
def printed(folder):
    return run(folder, ROOT / "benchmarks/readers.py", ".", "--jobs", "2")


def test_every_seed_and_fold_is_a_job_and_all_is_judged(folder, printed):
    for job in ("seed whole 1", "fold whole 1", "teach whole", "seed student 2", "judge both"):
        assert f"{job}: done" in printed
    assert "failed" not in printed
    assert (folder / "readers/metrics/both/all.json").exists()


def test_its_models_are_those_of_the_stages(folder, printed):
    made = load_file(folder / "models/readers/student/2/weights.safetensors")
    run(folder, ROOT / "stages/train_reader.py", "student")
    again = load_file(folder / "models/readers/student/2/weights.safetensors")
    assert all((made[key] == again[key]).all() for key in made)


def test_what_is_done_is_not_done_again(folder, printed):
    assert run(folder, ROOT / "benchmarks/readers.py", ".") == ""

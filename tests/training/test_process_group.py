"""Several processes that train one model, here on CPUs over gloo."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import process_group_run
import pytest
from safetensors.numpy import load_file

from unmask.core.errors import UserError

SCRIPT = Path(process_group_run.__file__)
RUNS = ["classifier", "everything", *process_group_run.RECONSTRUCTORS]


def start(*command, folder):
    """Run a command as on a machine with one thread for each process, below the faces."""
    path = [str(SCRIPT.parent), str(SCRIPT.parents[2] / "src")]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(path),
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def weights(folder):
    return {run: load_file(folder / f"models/{run}/weights.safetensors") for run in RUNS}


def apart(first, second):
    """Return by how much two sets of weights differ at most."""
    return max(float(np.abs(first[key] - second[key]).max()) for key in first)


def test_two_processes_train_what_one_trains(faces, in_folder):
    folders = {}
    for name in ("alone", "started", "torchrun"):
        folders[name] = in_folder / name
        folders[name].mkdir()
        (folders[name] / "faces").symlink_to(in_folder / "faces")
    start(sys.executable, str(SCRIPT), "1", folder=folders["alone"])
    start(sys.executable, str(SCRIPT), "2", folder=folders["started"])
    torchrun = str(Path(sys.executable).with_name("torchrun"))
    start(torchrun, "--nproc-per-node", "2", str(SCRIPT), "2", folder=folders["torchrun"])

    alone, started, again = (weights(folder) for folder in folders.values())
    for run in RUNS:
        assert apart(started[run], again[run]) == 0, run
    # Adam turns the rounding of a gradient that ought to be zero, as the discriminator's last bias
    # has where the hinge is open, into whole steps.
    near = {"classifier": 1e-5, "everything": 1e-5, "supervised": 1e-5, "adversarial": 1e-2}
    for run, most in near.items():
        assert 0 < apart(alone[run], started[run]) < most, run
    assert apart(alone["closed_form"], started["closed_form"]) == 0
    # What the second process wrote would stand beside what the first did.
    files = [
        sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
        for folder in folders.values()
    ]
    assert files[0] == files[1] == files[2]


@pytest.mark.usefixtures("faces", "in_folder")
def test_more_processes_than_were_asked_for_are_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match="more processes were started"):
        process_group_run.main(1)

"""Several processes that train one model, here on CPUs over gloo."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import process_group_run
import pytest
import torch
from safetensors.numpy import load_file

from unmask.core.errors import UserError
from unmask.training import process_group

SCRIPT = Path(process_group_run.__file__)


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
    """Return the weights of each run in a folder."""
    files = (folder / "models").glob("*/weights.safetensors")
    return {file.parent.name: load_file(file) for file in files}


def apart(first, second):
    """Return by how much two sets of weights differ at most."""
    return max(float(np.abs(first[key] - second[key]).max()) for key in first)


def test_two_processes_train_what_one_trains(faces, in_folder, monkeypatch):
    folders = {}
    for name in ("alone", "started", "torchrun"):
        folders[name] = in_folder / name
        folders[name].mkdir()
        (folders[name] / "faces").symlink_to(in_folder / "faces")
    with contextlib.chdir(folders["alone"]), monkeypatch.context() as patch:
        patch.setattr(process_group, "choose_device", lambda: torch.device("cpu"))
        process_group_run.main(1)
    start(sys.executable, str(SCRIPT), "2", folder=folders["started"])
    # How the processes were started is all that is different, and one run shows that.
    torchrun = [str(Path(sys.executable).with_name("torchrun")), "--nproc-per-node", "2"]
    start(*torchrun, str(SCRIPT), "2", "everything", folder=folders["torchrun"])

    alone, started, again = (weights(folder) for folder in folders.values())
    assert set(alone) == set(started) == set(process_group_run.RUNS)
    assert list(again) == ["everything"]
    assert apart(started["everything"], again["everything"]) == 0
    # Adam turns the rounding of a gradient that ought to be zero, as the discriminator's last bias
    # has where the hinge is open, into whole steps.
    near = {"everything": 1e-5, "supervised": 1e-5, "adversarial": 1e-2}
    for run, most in near.items():
        assert 0 < apart(alone[run], started[run]) < most, run
    assert apart(alone["closed_form"], started["closed_form"]) == 0
    # What the second process wrote would stand beside what the first did.
    files = [
        {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
        for folder in folders.values()
    ]
    assert files[0] == files[1] > files[2]


@pytest.mark.usefixtures("faces", "in_folder")
def test_more_processes_than_were_asked_for_are_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match="more processes were started"):
        process_group_run.main(1)


def test_more_devices_than_there_are_end_in_one_line(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr("lightning_fabric.accelerators.cuda.num_cuda_devices", lambda: 1)
    with pytest.raises(UserError, match=r"^params.yaml: train.devices, train.nodes: [^\n]*\[0\]"):
        process_group.FabricProcessGroup(2, 1, torch.device("cuda"))

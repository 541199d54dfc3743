"""Ctrl-C while a stage still imports what it needs."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

STAGES = Path(__file__).resolve().parents[1] / "stages"


def wait_for(part, process):
    """Wait until a process has loaded a library with this in its name."""
    while not any(part in file.path for file in psutil.Process(process.pid).memory_maps()):
        assert process.poll() is None
        time.sleep(0.01)


@pytest.mark.parametrize("part", ["_multiarray_umath", "libtorch_python", "_isfinite"])
def test_ctrl_c_during_imports_ends_a_stage_with_one_line(part, tmp_path):
    process = subprocess.Popen(
        [sys.executable, STAGES / "evaluate_final.py", "unet"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    wait_for(part, process)
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=60)
    assert printed == "interrupted; run `dvc repro` to go on\n"
    assert process.returncode == 130


def test_a_stage_in_the_background_of_a_script_goes_on_at_ctrl_c(tmp_path):
    ignoring = ["/bin/sh", "-c", 'trap "" INT; exec "$@"', "-"]
    process = subprocess.Popen(
        [*ignoring, sys.executable, STAGES / "check_params.py"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    wait_for("_pydantic_core", process)
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=60)
    assert printed == "error: params.yaml: no such file; run from the top of the repository\n"

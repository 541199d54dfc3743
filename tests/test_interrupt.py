"""Ctrl-C while a stage still imports what it needs."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

STAGES = Path(__file__).resolve().parents[1] / "stages"


def interrupt_after_loading(part, process):
    """Send Ctrl-C right after a process has loaded a library with this in its name.

    The process stands still while it is looked at: a fast machine would be past its imports by
    the time the signal came.
    """
    watched = psutil.Process(process.pid)
    while True:
        watched.suspend()
        loaded = part in Path(f"/proc/{process.pid}/maps").read_text()
        if loaded:
            process.send_signal(signal.SIGINT)
        watched.resume()
        if loaded:
            return
        assert process.poll() is None
        time.sleep(0.01)


@pytest.mark.parametrize("part", ["_multiarray_umath", "libtorch_python", "_pydantic_core"])
def test_ctrl_c_during_imports_ends_a_stage_with_one_line(part, tmp_path):
    process = subprocess.Popen(
        [sys.executable, STAGES / "evaluate_classifier.py", "unet"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    interrupt_after_loading(part, process)
    printed, _ = process.communicate(timeout=60)
    assert printed == "interrupted; run `dvc repro` to go on\n"
    assert process.returncode == 130


def test_a_stage_in_the_background_of_a_script_goes_on_at_ctrl_c(tmp_path):
    ignoring = ["/bin/sh", "-c", 'trap "" INT; exec "$@"', "-"]
    process = subprocess.Popen(
        [*ignoring, sys.executable, STAGES / "check_params.py"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    interrupt_after_loading("_pydantic_core", process)
    printed, _ = process.communicate(timeout=60)
    assert printed == "error: params.yaml: no such file; run from the top of the repository\n"

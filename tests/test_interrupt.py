"""Ctrl-C while a stage still imports what it needs."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

STAGES = Path(__file__).resolve().parents[1] / "stages"


@pytest.mark.parametrize("part", ["_multiarray_umath", "libtorch_python", "_isfinite"])
def test_ctrl_c_during_imports_ends_a_stage_with_one_line(part, tmp_path):
    process = subprocess.Popen(
        [sys.executable, STAGES / "evaluate_final.py", "unet"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    while not any(part in file.path for file in psutil.Process(process.pid).memory_maps()):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=60)
    assert printed == "interrupted; run `dvc repro` to go on\n"
    assert process.returncode == 130

"""A short version of `make torture`."""

import re
import subprocess
import sys

import pytest
from clone import ROOT


@pytest.mark.rare
def test_what_is_stopped_and_started_again_ends_as_if_it_had_not_been():
    options = ["--kills", "3", "--trainings", "1", "--epochs", "2", "--checkpoints", "5"]
    result = subprocess.run(
        [sys.executable, "benchmarks/torture.py", *options, "crop"],
        cwd=ROOT, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    table = r"`dvc repro crop` \| [123] \| [0-9] of 5 \| 0 of [0-9]+ \| 0 \| 0 \|"
    assert re.search(table, result.stdout), result.stdout

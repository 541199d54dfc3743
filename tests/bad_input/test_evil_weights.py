"""Checkpoints from strangers: refused with one line, and nothing in them is run."""

from pathlib import Path

import pytest
from bad_weights import CANARY, CASES
from stage_runs import stage


@pytest.fixture(scope="module")
def open_weights():
    with stage(Path(__file__).with_name("open_weights.py")) as running:
        yield running


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_a_checkpoint_is_refused_in_one_line(tmp_path, open_weights, case):
    case.make(tmp_path)
    line = open_weights.refusal(tmp_path, case.source)
    assert case.fits(line), line
    assert not (tmp_path / CANARY).exists()

"""Checkpoints from strangers: refused with one line, and nothing in them is run."""

from pathlib import Path

import pytest
from bad_weights import CANARY, CASES
from stage_runs import stage

from unmask.core.errors import UserError
from unmask.models.folder import load_tensors


@pytest.fixture(scope="module")
def open_weights():
    with stage(Path(__file__).with_name("open_weights.py")) as running:
        yield running


@pytest.mark.filterwarnings("ignore:.*quantize")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_a_checkpoint_is_refused_in_one_line(tmp_path, open_weights, case):
    case.make(tmp_path)
    line = open_weights.refusal(tmp_path, case.source)
    assert case.fits(line), line
    assert not (tmp_path / CANARY).exists()


SAFETENSORS = [case for case in CASES if case.source.endswith(".safetensors")]


@pytest.mark.parametrize("case", SAFETENSORS, ids=lambda case: case.name.replace(" ", "-"))
def test_no_such_file_passes_for_the_weights_of_an_earlier_stage(tmp_path, case):
    case.make(tmp_path)
    with pytest.raises(UserError, match=r"checksum mismatch; delete it and run `dvc repro`"):
        load_tensors(tmp_path / case.source)

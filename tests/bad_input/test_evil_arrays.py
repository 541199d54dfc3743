"""Bad arrays of an earlier stage: refused in one line, and nothing in them is run."""

import pytest
from bad_arrays import CASES
from bad_weights import CANARY
from stage_runs import stage


@pytest.fixture(scope="module")
def crop():
    with stage("crop.py") as running:
        yield running


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_an_array_is_refused_in_one_line(tmp_path, crop, case):
    case.make(tmp_path)
    line = crop.refusal(tmp_path)
    assert case.fits(line), line
    assert not (tmp_path / CANARY).exists()

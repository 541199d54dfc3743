"""Malformed sources: `ingest` says so in one line, leaves nothing and uses little memory."""

import pytest
from corpus import SOURCES
from stage_runs import write_params


@pytest.mark.parametrize("case", SOURCES, ids=lambda case: case.name.replace(" ", "-"))
def test_malformed_input_is_refused_in_one_line(tmp_path, ingest, case):
    case.make(tmp_path)
    write_params(tmp_path, case)
    line = ingest.refusal(tmp_path)
    assert case.fits(line), line

"""Malformed inputs: the stage that meets one says so in one line, leaves nothing, stays small."""

import json

import bad_archives
import bad_files
import bad_folders
import bad_rows
import bad_votes
import pytest
from stage_runs import stage

CASES = bad_rows.CASES + bad_files.CASES + bad_archives.CASES + bad_votes.CASES + bad_folders.CASES


@pytest.fixture(scope="module")
def ingest():
    with stage("ingest.py") as running:
        yield running


def write_params(folder, case):
    values = {"source": case.source, "labels": case.labels, "votes": "votes.csv"}
    data = values | {"validation_fraction": 0.3, "seed": 1}
    (folder / "params.yaml").write_text(json.dumps({"data": data}))  # which is YAML


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_malformed_input_is_refused_in_one_line(tmp_path, ingest, case):
    case.make(tmp_path)
    write_params(tmp_path, case)
    line = ingest.refusal(tmp_path)
    assert case.fits(line), line


def test_no_case_stands_there_twice():
    assert len({case.name for case in CASES}) == len(CASES)

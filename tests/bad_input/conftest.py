"""Loads the profile that Hypothesis uses unless told otherwise; the stage that reads sources."""

import pytest
from profiles import register
from stage_runs import stage

register()


@pytest.fixture(scope="module")
def ingest():
    with stage("ingest.py") as running:
        yield running

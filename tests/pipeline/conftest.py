"""One small pipeline, reproduced once; each test that changes something works on a copy."""

import pytest
from clone import Clone, stages_run


@pytest.fixture(scope="session")
def headlined(tmp_path_factory):
    """A clone after `dvc repro headline`, and the stages that it ran."""
    clone = Clone.make(tmp_path_factory.mktemp("headline"))
    return clone, stages_run(clone.dvc("repro", "headline"))


@pytest.fixture(scope="session")
def reproduced(headlined, tmp_path_factory):
    """A clone after `dvc repro`, committed; tests must not change it."""
    clone = headlined[0].copy(tmp_path_factory.mktemp("reproduced") / "clone")
    clone.dvc("repro")
    clone.commit("reproduced")
    return clone


@pytest.fixture
def clone(reproduced, tmp_path):
    """A copy of the reproduced clone to do with as one likes."""
    return reproduced.copy(tmp_path / "clone")

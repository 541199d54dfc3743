"""One small pipeline, reproduced once; each test that changes something works on a copy."""

import json
import os
import shutil

import pytest
from clone import Clone, stages_run
from filelock import FileLock


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Make the pipeline, once for all workers of a run, and return the folder that it is in.

    `headlined` is a clone after `dvc repro headline`, `ran.json` the stages that this ran, and
    `reproduced` a clone after `dvc repro`.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with FileLock(folder / "made.lock"):
        if not (folder / "reproduced").exists():
            for name in ("headlined", "reproducing"):  # of a worker that failed
                shutil.rmtree(folder / name, ignore_errors=True)
            (folder / "headlined").mkdir()
            clone = Clone.make(folder / "headlined")
            ran = stages_run(clone.dvc("repro", "headline"))
            (folder / "ran.json").write_text(json.dumps(ran))
            clone = clone.copy(folder / "reproducing")
            clone.dvc("repro")
            clone.commit("reproduced")
            clone.path.rename(folder / "reproduced")
    return folder


@pytest.fixture(scope="session")
def headlined(made):
    """A clone after `dvc repro headline`, and the stages that it ran."""
    return Clone(made / "headlined"), json.loads((made / "ran.json").read_text())


@pytest.fixture(scope="session")
def reproduced(made, tmp_path_factory):
    """A clone after `dvc repro`, committed, of this worker alone; tests must not change it."""
    return Clone(made / "reproduced").copy(tmp_path_factory.mktemp("reproduced") / "clone")


@pytest.fixture
def edited(reproduced):
    """The reproduced clone to edit, but not to run anything in that ends well."""
    yield reproduced
    reproduced.run("git", "checkout", "--quiet", ".")


@pytest.fixture
def clone(reproduced, tmp_path):
    """A copy of the reproduced clone to do with as one likes."""
    return reproduced.copy(tmp_path / "clone")

"""The environment of a stage, which is set before the libraries that read it are loaded."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

STAGES = Path(__file__).resolve().parents[2] / "stages"
NAMES = ("GOMP_SPINCOUNT", "CUBLAS_WORKSPACE_CONFIG")

SETS_UP = f"""
import sys
sys.path.insert(0, {str(STAGES)!r})
import _source
import json, os
print(json.dumps({{
    "loaded": [name for name in ("torch", "numpy") if name in sys.modules],
    "set": {{name: os.environ.get(name) for name in {NAMES!r}}},
    "unmask": sys.modules["unmask"].__file__,
}}))
"""


def set_up(**environment):
    """Return what is loaded and set in a new process after a stage's first import."""
    kept = {k: v for k, v in os.environ.items() if k not in (*NAMES, "DVC_STAGE", "PYTHONPATH")}
    done = subprocess.run(
        [sys.executable, "-c", SETS_UP],
        env=kept | environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def test_the_environment_is_set_before_torch_is_loaded():
    found = set_up()
    assert found["loaded"] == []
    assert found["set"] == {"GOMP_SPINCOUNT": "10000", "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
    # The code beside the stage is what runs, not what is installed.
    assert Path(found["unmask"]) == STAGES.parent / "src/unmask/__init__.py"


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_of_the_user_wins(name):
    defaults = set_up()["set"]
    assert set_up(**{name: ":16:8"})["set"] == defaults | {name: ":16:8"}


@pytest.mark.parametrize("stage", sorted(STAGES.glob("[a-z]*.py")), ids=lambda stage: stage.stem)
def test_no_stage_loads_a_package_before_its_environment_is_set(stage):
    """A stage imports `_source` before anything that is not Python's own."""
    probe = f"""
import runpy, sys
class Stop(BaseException): pass
def source(name, *rest, load=__import__):
    if name == "_source":
        assert not {"numpy", "torch", "unmask"} & sys.modules.keys()
        raise Stop
    return load(name, *rest)
__builtins__.__import__ = source
try:
    runpy.run_path({str(stage)!r})
except Stop:
    print("in time")
"""
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=False
    )
    assert done.stdout == "in time\n", done.stderr


@pytest.mark.parametrize(
    ("folder", "disk"),
    [
        ("models", "gone"),
        ("data", "gone"),
        ("models", "there"),
        ("data/raw", "there"),
        ("models/reconstructors", "there"),
        ("models", "clone/models"),  # a link to itself
    ],
)
def test_a_folder_linked_to_another_disk_is_refused_at_once(tmp_path, folder, disk):
    here = tmp_path / "clone"
    (here / folder).parent.mkdir(parents=True)
    (tmp_path / "there").mkdir()
    (here / folder).symlink_to(tmp_path / disk)
    done = subprocess.run(
        [sys.executable, STAGES / "check_params.py"],
        cwd=here, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {folder}: a link to another disk or folder, where DVC")
    assert "`dvc config --local cache.dir" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_sources_may_lie_on_another_disk(tmp_path):
    here, disk = tmp_path / "clone", tmp_path / "disk"
    (here / "data/raw").mkdir(parents=True)
    disk.mkdir()
    (here / "data/raw/faces").symlink_to(disk)
    done = subprocess.run(
        [sys.executable, STAGES / "check_params.py"],
        cwd=here, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr.startswith("error: params.yaml: no such file")


@pytest.mark.parametrize(
    "fails",
    [
        "raise MemoryError",
        "import numpy; numpy.empty(1 << 60, dtype='u1')",
        "import torch; torch.empty(1 << 60)",
        "import torch; raise torch.OutOfMemoryError('CUDA out of memory')",
    ],
)
def test_too_little_memory_ends_a_stage_with_one_line(fails, tmp_path):
    script = tmp_path / "fails.py"
    script.write_text(
        f'"""Fails."""\nfrom unmask.core import stage\ndef main():\n    {fails}\nstage.run(main)\n'
    )
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "error: out of memory; lower the batch_size, or the network's width\n"

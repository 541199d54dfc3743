"""Where the pipeline's time goes: what the benchmark observes of a stage, and how it shows it."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import fork_server
import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"

SPIN = """
import time

def spin(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
"""
WORK = """
import threading
from unmask.spin import spin

def read_rows():
    spin(0.1)

def save_rows():
    spin(0.1)
    read_rows()  # to check what it has written

class Rows:
    @classmethod
    def open(cls):
        read_rows()

    def learn(self):
        spin(0.3)
        helper = threading.Thread(target=read_rows)
        helper.start()
        helper.join()
"""
STAGE = """
from unmask.core import stage
from unmask.work import Rows, save_rows

def main():
    from unmask import late
    Rows.open()
    Rows().learn()
    save_rows()

stage.run(main)
"""


@pytest.fixture
def observed(tmp_path):
    """Run a stage of a package that stands for `unmask`; return what was noted of it."""

    def run(after_main: str) -> dict[str, float]:
        files = {
            "unmask/__init__.py": "",
            "unmask/core/__init__.py": "",
            "unmask/core/stage.py": f"import os\ndef run(main):\n    main()\n    {after_main}\n",
            "unmask/spin.py": SPIN,
            "unmask/late.py": "from unmask.spin import spin\nspin(0.2)\n",
            "unmask/work.py": WORK,
            "stage.py": STAGE,
        }
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        environment = {
            "PYTHONPATH": str(BENCHMARKS / "stage_times"),
            "UNMASK_STAGE_TIMES": str(tmp_path / "times.jsonl"),
            "DVC_STAGE": "train@unet",
        }
        subprocess.run(
            [sys.executable, "stage.py"], cwd=tmp_path, env=os.environ | environment, check=True
        )
        [line] = (tmp_path / "times.jsonl").read_text().splitlines()
        return json.loads(line)

    return run


@pytest.mark.parametrize("after_main", ["return", "os._exit(0)"])
def test_what_a_stage_does_is_found_where_it_spends_its_time(observed, after_main):
    found = observed(after_main)
    assert found.pop("stage") == "train@unet"
    # The start of the interpreter, and the import within main.
    assert 0.2 < found.pop("imports") < 0.5
    # Another thread's reading, and what writing reads, are part of what the stage is doing.
    assert found == pytest.approx({"reading": 0.1, "computing": 0.4, "writing": 0.2}, abs=0.05)


@pytest.fixture
def pipeline(monkeypatch):
    """The benchmark as a module; other tests have a module `clone` of their own."""
    names = ("alternate", "clone", "pipeline", "run_all")
    others = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    monkeypatch.syspath_prepend(BENCHMARKS)
    yield importlib.import_module("pipeline")
    for name in names:
        del sys.modules[name]
    sys.modules.update(others)


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]


def test_before_and_after_are_compared_by_kind_of_stage(pipeline):
    def timed(seconds: float, *stages: tuple[str, float]):
        made = [pipeline.Stage(name, 10, 12, imports, 0, 1, 0, 0, 0.5) for name, imports in stages]
        return pipeline.Timed(seconds, made, processor=20, starting=1)

    sides = {
        "before": timed(40, ("train@a", 4), ("train@b", 2), ("gone", 1)),
        "after": timed(20, ("train@a", 1), ("train@b", 1), ("headline", 0.01)),
    }
    head, _, *rows = cells(pipeline.stages_table(sides))
    imports = head.index("imports")
    assert [(row[0], row[1], row[2], row[imports]) for row in rows] == [
        ("train", "before", "2", "3.00"),
        ("train", "after", "2", "1.00 (3.0)"),
        ("gone", "before", "1", "1.00"),
        ("headline", "after", "1", "0.01"),
        ("sum, with DVC's start", "before", "3", "7.00"),
        ("sum, with DVC's start", "after", "3", "2.01 (3.5)"),
    ]
    assert rows[-1][head.index("dvc")] == "2.50 (1.0)"

    runs = {pipeline.FIRST: {side: [run] for side, run in sides.items()}}
    head, _, before, after = cells(pipeline.runs_table(runs))
    assert (before[-1], after[-1]) == ("", "2.00")
    assert (before[-2], after[-2]) == ("", "2.0")  # seconds until the headline
    assert after[head.index("cores busy")] == f"{1 / os.cpu_count():.0%}"


@pytest.mark.rare
def test_the_pipeline_is_compared_with_its_stages():
    python = fork_server.programs() / "python"
    shell = "readers/dvc.yaml:nobody"  # a stage that is no Python script
    printed = subprocess.run(
        [python, BENCHMARKS / "pipeline.py", "--reduced", "--rounds", "1", "crop", shell],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=True, stdout=subprocess.PIPE, text=True,
    ).stdout  # fmt: skip
    lines = [line for line in printed.splitlines() if line.startswith("| ")]
    runs, stages = lines[:6], lines[6:]
    assert [row[2] for row in cells("\n".join(runs[2:]))] == ["6", "1", "1", "0"]
    assert {row[0] for row in cells("\n".join(stages[2:]))} == {
        "check_params", "make_sample", "ingest", "place", "crop", shell, "sum, with DVC's start"
    }  # fmt: skip

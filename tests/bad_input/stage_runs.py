"""Stages as a user sees them: what they print, what they leave behind, what memory they take."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from cases import Case

SERVER = Path(__file__).with_name("stage_server.py")
MAX_MEMORY = 1 << 30


class Result(NamedTuple):
    status: int
    out: str
    err: str
    peak: int  # bytes of memory


class Stage:
    """One stage, run in forked children of a process that has already imported it."""

    def __init__(self, process: subprocess.Popen) -> None:
        self._process = process

    def run(self, folder: Path, *arguments: str, **environment: str | None) -> Result:
        request = {"folder": str(folder), "arguments": arguments, "environment": environment}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return Result(**json.loads(self._process.stdout.readline()))

    def refusal(self, folder: Path, *arguments: str) -> str:
        """The one line of a run that was refused, left nothing behind and used little memory."""
        before = contents(folder)
        result = self.run(folder, *arguments)
        assert result.status == 2, result
        assert result.out == ""
        (line,) = result.err.splitlines()
        assert line.startswith("error: ")
        assert line.isprintable()
        assert contents(folder) == before
        assert result.peak < MAX_MEMORY
        return line.removeprefix("error: ")


@contextmanager
def stage(script: str | Path) -> Iterator[Stage]:
    with subprocess.Popen(
        [sys.executable, SERVER, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Stage(process)
        process.stdin.close()


def contents(folder: Path) -> set[Path]:
    """Everything below `folder` except empty folders."""
    return {path for path in folder.rglob("*") if not path.is_dir() or any(path.iterdir())}


def write_params(folder: Path, case: Case) -> None:
    """Write the part of params.yaml that `ingest` reads."""
    values = {"source": case.source, "labels": case.labels, "votes": "votes.csv"}
    data = values | {"validation_fraction": 0.3, "seed": 1}
    (folder / "params.yaml").write_text(json.dumps({"data": data}))  # which is YAML

"""Clones in which a pipeline is run in several goes, each with a limit on its time."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alternate import HERE, ROOT
from clone import Clone
from ruamel.yaml import YAML

SECONDS_TO_WRITE = 10.0
"""What is left of the time for writing results."""


class Deadline:
    """When to stop, some seconds before the time that was given is over.

    began, until: seconds since 1970.
    """

    def __init__(self, minutes: float | None) -> None:
        self.began = time.time()
        self.until = self.began + 60 * minutes - SECONDS_TO_WRITE if minutes else float("inf")

    @property
    def left(self) -> float | None:
        """Seconds, 0 at least; None if there is no limit."""
        return None if self.until == float("inf") else max(0.0, self.until - time.time())

    def run(
        self, command: Sequence[str | Path], folder: Path, environment: Mapping[str, str]
    ) -> str | None:
        """Return what a command printed, or None if the time was over before it ended.

        Raises SystemExit with everything it printed if it fails.
        """
        if self.left == 0:
            return None
        process = subprocess.Popen(  # noqa: S603, no shell
            list(map(str, command)), cwd=folder, env=os.environ | dict(environment), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        try:
            printed, errors = process.communicate(timeout=self.left)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.communicate(timeout=SECONDS_TO_WRITE / 2)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
            return None
        if process.returncode:
            sys.exit(f"{' '.join(map(str, command))}\n{printed}{errors}")
        return printed


class Workspace(Clone):
    """A clone of the last commit below a folder, without results; it is made once.

    All below the same folder share DVC's cache and the checkpoints of interrupted trainings.
    """

    def __init__(self, path: Path, of: Path = ROOT) -> None:
        if path.exists():
            self.path = path
        else:
            super().__init__(path, of)
            checkpoints = path.parent / "checkpoints"
            checkpoints.mkdir(exist_ok=True)
            (path / ".checkpoints").symlink_to(checkpoints)
            self.lock.unlink(missing_ok=True)
            shutil.rmtree(path / "metrics", ignore_errors=True)

    @property
    def lock(self) -> Path:
        """DVC's file of the stages that have run, and of their outputs."""
        return self.path / "dvc.lock"

    def repro(self, targets: Sequence[str], deadline: Deadline, jobs: int) -> bool:
        """Run `dvc repro`; return whether it ended before the deadline."""
        threads = str(max(1, len(os.sched_getaffinity(0)) // jobs))
        environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{HERE / 'stage_times'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
            "UNMASK_STAGE_TIMES": str(self.path.with_suffix(".jsonl")),
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", threads),
        }
        return deadline.run(["dvc", "repro", *targets], self.path, environment) is not None


def share(workspaces: Sequence[Workspace]) -> None:
    """Let each workspace have what any of them has run, with its outputs.

    DVC's cache would not do: a stage with a metric, which stays outside of it, would run again.
    """
    parser = YAML(typ="safe")
    known = {w: _stages(parser, w) for w in workspaces}
    for mine in workspaces:
        for other in workspaces:
            for name in known[other].keys() - known[mine].keys():
                known[mine][name] = known[other][name]
                for out in known[other][name]["outs"]:
                    _link(other.path / out["path"], mine.path / out["path"])
        if known[mine]:
            parser.dump({"schema": "2.0", "stages": known[mine]}, mine.lock)


def _stages(parser: YAML, workspace: Workspace) -> dict[str, Any]:
    text = workspace.lock.read_text() if workspace.lock.exists() else ""
    return dict((parser.load(text) or {}).get("stages", {}))


def _link(source: Path, target: Path) -> None:
    """Put a file or folder in another place too, without copying what is in it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, copy_function=os.link)
    else:
        target.unlink(missing_ok=True)
        os.link(source, target)

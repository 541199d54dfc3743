"""A temporary clone of the repository, whose stages are timed as DVC runs them."""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from alternate import HERE, ROOT, run


class Stage(NamedTuple):
    """A stage that has run; times are in seconds since 1970."""

    name: str
    began: float
    ended: float


class Timed(NamedTuple):
    """A DVC run: seconds from start to end, and the stages that it ran."""

    seconds: float
    stages: list[Stage]

    @property
    def within(self) -> float:
        """Seconds spent in stages."""
        return sum(stage.ended - stage.began for stage in self.stages)


class Clone:
    """A clone of the last commit, without any results."""

    def __init__(self, path: Path, of: Path = ROOT) -> None:
        self.path, self._times = path, path.parent / f"{path.name}_times.jsonl"
        run(["git", "clone", "--quiet", of, path])
        # Clones in the same folder share a cache.
        config = f"[cache]\n    dir = {path.parent / 'cache'}\n"
        (path / ".dvc" / "config.local").write_text(config)

    def again(self, name: str) -> "Clone":
        """Return another clone of this one's last commit, in the same folder."""
        return Clone(self.path.with_name(name), self.path)

    def set_params(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Apply `change` to params.yaml and commit it, as DVC expects."""
        from ruamel.yaml import YAML

        editor = YAML()
        params = editor.load(self.path / "params.yaml")
        change(params)
        editor.dump(params, self.path / "params.yaml")
        identity = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost")
        run(["git", *identity, "commit", "--quiet", "--all", "--message", "smaller"], self.path)

    def dvc(self, *words: str) -> Timed:
        """Run `dvc` with these arguments; return its time and that of its stages."""
        self._times.unlink(missing_ok=True)
        environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{HERE / 'stage_times'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
            "UNMASK_STAGE_TIMES": str(self._times),
        }
        began = time.perf_counter()
        run(["dvc", *words], self.path, environment)
        seconds = time.perf_counter() - began
        lines = self._times.read_text().splitlines() if self._times.exists() else []
        stages = [json.loads(line) for line in lines]
        return Timed(seconds, [Stage(s["stage"], s["began"], s["ended"]) for s in stages])


def reduce(params: dict[str, Any]) -> None:
    """Reduce the pipeline to a few minutes: a small sample and two reconstructors."""
    kept = ("unet", "mean_face")
    params["recon"]["model"] = kept[0]
    for name in [name for name in params["reconstructors"] if name not in kept]:
        del params["reconstructors"][name]
    params["sample"].update({"train": 140, "validation": 70, "test": 70})
    for kind in ("classifier", "reconstructor"):
        params["train"][kind].update({"epochs": 2, "batch_size": 32})

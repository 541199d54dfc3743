"""A temporary clone of the repository, whose stages are timed as DVC runs them."""

import itertools
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from alternate import HERE, ROOT, run

SHARES = ("imports", "reading", "computing", "writing", "ending", "dvc")


class Stage(NamedTuple):
    """A stage that has run: when, in seconds since 1970, and what for, in processor seconds.

    imports, reading, computing, writing: of its process; see stage_times/sitecustomize.py.
    ending: what its interpreter needs to clean up after that.
    dvc: DVC's own, from when this stage began to when the next one did, or to DVC's end.
    """

    name: str
    began: float
    ended: float
    imports: float
    reading: float
    computing: float
    writing: float
    ending: float
    dvc: float


class Timed(NamedTuple):
    """A DVC run: seconds from start to end, the stages that it ran, and processor seconds.

    processor: of DVC and everything that it started; starting: of DVC, before the first stage.
    """

    seconds: float
    stages: list[Stage]
    processor: float = 0.0
    starting: float = 0.0

    @property
    def within(self) -> float:
        """Seconds spent in stages."""
        return sum(stage.ended - stage.began for stage in self.stages)


class Clone:
    """A clone of the last commit or another revision, without any results."""

    def __init__(self, path: Path, of: Path = ROOT, revision: str = "HEAD") -> None:
        self.path, self._times = path, path.parent / f"{path.name}_times.jsonl"
        run(["git", "clone", "--quiet", of, path])
        run(["git", "checkout", "--quiet", "-B", "benchmark", revision], path)
        # Clones in the same folder share a cache.
        config = f"[cache]\n    dir = {path.parent / 'cache'}\n"
        (path / ".dvc" / "config.local").write_text(config)

    def set_params(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Apply `change` to params.yaml and commit it, as DVC expects."""
        from ruamel.yaml import YAML

        editor = YAML()
        params = editor.load(self.path / "params.yaml")
        change(params)
        editor.dump(params, self.path / "params.yaml")
        identity = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost")
        run(["git", *identity, "commit", "--quiet", "--all", "--message", "smaller"], self.path)

    def reduce(self) -> None:
        """Reduce the pipeline to a few minutes, and forget what DVC knows of the whole one."""
        (self.path / "dvc.lock").unlink(missing_ok=True)
        self.set_params(reduce)

    def dvc(self, *words: str) -> Timed:
        """Run `dvc` with these arguments; return its time and that of its stages."""
        self._times.unlink(missing_ok=True)
        environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{HERE / 'stage_times'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
            "UNMASK_STAGE_TIMES": str(self._times),
        }
        child = run(["dvc", *words], self.path, environment)
        lines = self._times.read_text().splitlines() if self._times.exists() else []
        notes: dict[str, dict[str, float]] = {}
        for line in map(json.loads, lines):
            notes.setdefault(line.pop("stage"), {}).update(line)
        alone = child.busy - sum(note["processor"] for note in notes.values())
        used = [*(note["dvc"] for note in notes.values()), alone]
        shares = [later - before for before, later in itertools.pairwise(used)]
        stages = [_stage(*item, share) for item, share in zip(notes.items(), shares, strict=True)]
        return Timed(child.seconds, stages, child.busy, used[0])


def _stage(name: str, note: Mapping[str, float], dvc: float) -> Stage:
    # A stage that is a command of the shell has no interpreter to say what it did.
    spent = [note.get(what, 0.0) for what in SHARES[:-2]]
    return Stage(
        name, note["began"], note["ended"], *spent, ending=note["processor"] - sum(spent), dvc=dvc
    )


def reduce(params: dict[str, Any]) -> None:
    """Reduce the pipeline to a few minutes: a small sample and two reconstructors."""
    kept = ("unet", "mean_face")
    params["recon"]["model"] = kept[0]
    for name in [name for name in params["reconstructors"] if name not in kept]:
        del params["reconstructors"][name]
    params["sample"].update({"train": 140, "validation": 70, "test": 70})
    for kind in ("classifier", "reconstructor"):
        params["train"][kind].update({"epochs": 2, "batch_size": 32})

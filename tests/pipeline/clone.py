"""A temporary clone of the repository with a pipeline that is small enough for tests."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import fork_server
import yaml

ROOT = Path(__file__).resolve().parents[2]
TRACE = Path(__file__).parent / "trace"


class Clone:
    """A clone in which commands can be run as a user would run them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def make(cls, path: Path) -> "Clone":
        """Clone the working tree, uncommitted changes included, with a tiny sample and models."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file() and Path(name).parts[0] not in UNUSED:
                (path / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, path / name)
        clone = cls(path)
        clone.set_params(_shrink)
        for made in (*path.rglob("dvc.lock"), *path.glob("*/results.*")):
            made.unlink()
        for folder in (
            "metrics",
            *(f"{side}/metrics" for side in ("laboratory", "seeds", "readers")),
        ):
            shutil.rmtree(path / folder, ignore_errors=True)
        clone.run("git", "init", "--quiet")
        clone.run("git", "add", "--all")
        clone.commit("clone")
        return clone

    def copy(self, path: Path) -> "Clone":
        """Return a copy of this clone, artefacts and DVC cache included."""
        shutil.copytree(self.path, path, symlinks=True, copy_function=_copy)
        return Clone(path)

    def commit(self, message: str) -> None:
        """Commit all that is there."""
        self.run("git", "add", "--all")
        self.run(
            "git", "-c", "user.name=test", "-c", "user.email=test@localhost",
            "commit", "--quiet", "--message", message,
        )  # fmt: skip

    def set_params(self, change) -> None:
        """Rewrite params.yaml as `change` changes its values."""
        file = self.path / "params.yaml"
        params = yaml.safe_load(file.read_text())
        change(params)
        file.write_text(yaml.safe_dump(params, sort_keys=False))

    def run(self, *command: str, status: int = 0, forked: bool = False) -> str:
        """Run a command in the clone; return what it printed, after checking its exit status."""
        process = self.start(*command, forked=forked)
        printed, _ = process.communicate()
        assert process.returncode == status, f"{command} exited {process.returncode}:\n{printed}"
        return printed

    def start(self, *command: str, forked: bool = False) -> subprocess.Popen[str]:
        """Start a command in the clone; if `forked`, the `dvc` and stages of `fork_server`."""
        trace = self.path / ".trace"
        trace.mkdir(exist_ok=True)
        folders = [Path(sys.executable).parent, os.environ["PATH"]]
        if forked:
            folders.insert(0, fork_server.programs())
        environment = os.environ | {
            "PATH": os.pathsep.join(map(str, folders)),
            "PYTHONPATH": str(TRACE),
            "UNMASK_TRACE": str(trace),
            "OMP_NUM_THREADS": "1",  # two workers share the cores
            "DVC_SITE_CACHE_DIR": str(self.path / ".dvc/tmp/site"),  # it goes when the clone does
            "GIT_AUTHOR_NAME": "test",
            "GIT_AUTHOR_EMAIL": "test@localhost",
            "GIT_COMMITTER_NAME": "test",
            "GIT_COMMITTER_EMAIL": "test@localhost",
            # Two clones of the same files are the same commit.
            "GIT_AUTHOR_DATE": "1767225600 +0000",
            "GIT_COMMITTER_DATE": "1767225600 +0000",
        }
        return subprocess.Popen(
            command, cwd=self.path, env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,  # a group of its own, as in a terminal
        )  # fmt: skip

    def dvc(self, *arguments: str, status: int = 0) -> str:
        """Run `dvc` with these arguments, forked."""
        return self.run("dvc", *arguments, status=status, forked=True)


def stages_run(printed: str) -> list[str]:
    """Return the stages that DVC says it ran, in order."""
    start = "Running stage '"
    lines = [line for line in printed.splitlines() if line.startswith(start)]
    return [line.removeprefix(start).partition("'")[0] for line in lines]


def lock(clone: Clone, file: str = "dvc.lock") -> dict[str, Any]:
    """Return what a lock says of each stage."""
    return yaml.safe_load((clone.path / file).read_text())["stages"]


KEPT = ("cgan", "vgg16", "unet", "mean_face")
"""One reconstructor of each kind: adversarial, frozen encoder, supervised, computed."""

EXPERIMENTS = ("honest", "out_of_fold", "split_after_augmentation")
"""What is left of the laboratory."""

SEEDS = [1, 2]


UNUSED = {"benchmarks", "docs", "results", "tests"}
"""Folders of the repository that the pipeline does not need, and a clone goes without."""

WEIGHTS = "/weights.safetensors"


def _copy(source: str, target: str) -> None:
    # What DVC and Git store under its checksum stays as it is, and weights are never written into
    # but replaced: the copies can share them.
    if "/.dvc/cache/files/" in source or "/.git/objects/" in source or source.endswith(WEIGHTS):
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def _shrink(params: dict) -> None:
    params["recon"]["model"] = "unet"
    params["reconstructors"] = {name: params["reconstructors"][name] for name in KEPT}
    params["recon"]["folds"] = 2
    params["evaluate"]["seeds"] = SEEDS
    params["laboratory"] = {name: params["laboratory"][name] for name in EXPERIMENTS}
    params["sample"] |= {"train": 96, "validation": 48, "test": 48}
    for kind in ("classifier", "reconstructor"):
        params["train"][kind] |= {"epochs": 2, "batch_size": 32}
    params["classifiers"]["paper_cnn"] |= {"filters": [4, 8, 8], "hidden": 16}
    for entry in params["reconstructors"].values():
        if "width" in entry:
            entry["width"] = 2

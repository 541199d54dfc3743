"""How results were made: at which commit, and with which libraries on which processor.

With other libraries or on another processor, the same seed may give different bits.
"""

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

Environment = Mapping[str, Any]

_CODE = ("src", "stages", "dvc.yaml")
_MODULES = ("src/*.py", "stages/*.py")  # new ones count even if git was told to ignore them
_ROOT = Path(__file__).resolve().parents[3]

_ELSEWHERE = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", "GIT_PREFIX", "GIT_SHALLOW_FILE",
)  # fmt: skip
"""Variables that lead git to another repository; hooks and `git rebase --exec` set some."""

_ALONE = {"GIT_OPTIONAL_LOCKS": "0", "GIT_ALLOW_PROTOCOL": "none", "GIT_NO_REPLACE_OBJECTS": "1"}
"""Git reads only: it takes no lock, a partial clone fetches nothing, `git replace` is ignored."""


def environment(device: "torch.device") -> dict[str, Any]:
    """Return the libraries and the processor that are used here, as plain JSON values.

    cpu: the instruction set that PyTorch uses; threads: the number that it computes with.
    """
    import torch

    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
    }


def revision(root: Path = _ROOT) -> str | None:
    """Return the last commit that changed the code under `root`; None if git does not know it.

    `-dirty` is appended if there are uncommitted changes or new files. Git does not know the commit
    without a repository of which `root` is the top, nor in a shallow clone that is cut off before
    it: there, the oldest commit seems to have made everything. Nor does it see changes where it was
    told not to look, by `git update-index --assume-unchanged` or in a sparse checkout.
    """
    if git("rev-parse", "--show-prefix", at=root) != "":
        return None
    commit = git("rev-list", "-1", "HEAD", "--", *_CODE, at=root)
    status = ("status", "--porcelain", "--no-renames", "--untracked-files=all")
    changes = git(*status, "--", *_CODE, at=root)
    flags = git("ls-files", "-v", "--", *_CODE, at=root)
    if not commit or changes is None or flags is None or commit in _cut_off(root):
        return None
    if any(line[0] == "S" or line[0].islower() for line in flags.splitlines()):
        return None
    ignored = ("ls-files", "--others", "--ignored", "--exclude-standard")
    changes = changes or git(*ignored, "--", *_MODULES, at=root)
    short = git("rev-parse", "--short=12", commit, at=root)
    return f"{short}-dirty" if short and changes else short


def _cut_off(root: Path) -> list[str]:
    """Return the commits of a shallow clone whose parents were left out."""
    file = root / (git("rev-parse", "--git-path", "shallow", at=root) or "")
    return file.read_text(encoding="utf-8").split() if file.is_file() else []


def made(training: dict[str, Any], device: "torch.device") -> dict[str, Any]:
    """Return how a result was made: on `device`, with a model trained in another environment."""
    return {"revision": revision(), "training": training, "evaluation": environment(device)}


def git(*arguments: str, at: Path | None = None) -> str | None:
    """Return what git prints; None without git, outside a repository, or if git fails.

    at: the folder to run it in, the current one unless given.
    """
    variables = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    try:
        done = subprocess.run(  # noqa: S603
            ["git", *arguments],  # noqa: S607
            cwd=at, env=variables | _ALONE, stdin=subprocess.DEVNULL, capture_output=True,
            encoding="utf-8", errors="surrogateescape", check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def environments(made: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the environments in which results were computed, each once.

    made: what `made` returned for each result.
    """
    found: list[dict[str, Any]] = []
    for part in (result[part] for result in made for part in ("training", "evaluation")):
        if part not in found:
            found.append(part)
    return found


def in_words(environment: Environment) -> str:
    """Return an environment as one line."""
    parts = [f"{name} {environment[name]}" for name in ("python", "torch", "numpy", "cpu")]
    threads = environment["threads"]
    parts.append(f"{threads} thread{'s' * (threads != 1)}")
    return ", ".join([*parts, environment["gpu"]] if environment["gpu"] else parts)


def mismatch(figures: Mapping[str, Any], file: str) -> str | None:
    """Return a line about how the committed `file` was made, if that differs from `figures`."""
    here, committed = figures["environments"], _committed(file)
    if not committed or committed == here:
        return None
    return (
        f"{file} in git was made with {_all(committed)}; this one with {_all(here)}: the same "
        "seed may give different figures"
    )


def _all(environments: Sequence[Environment]) -> str:
    return "; and ".join(map(in_words, environments))


def _committed(file: str) -> list[dict[str, Any]]:
    """Return the environments named in the last commit's version of `file`, if any."""
    try:
        committed = json.loads(git("show", f"HEAD:./{file}") or "{}")
    except ValueError:  # a conflict that was committed, or a pointer to the file
        return []
    found: list[dict[str, Any]] = committed.get("environments", [])
    return found

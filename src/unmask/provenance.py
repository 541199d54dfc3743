"""How results were made: at which commit, and with which libraries on which processor.

With other libraries or on another processor, the same seed may give different bits.
"""

import json
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

Environment = Mapping[str, Any]

_CODE = ("src", "stages", "dvc.yaml")


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


def revision() -> str | None:
    """Return the last commit that changed the code; None without git.

    `-dirty` is appended if there are uncommitted changes.
    """
    commit = git("log", "-1", "--format=%h", "--abbrev=12", "--", *_CODE)
    changes = git("status", "--porcelain", "--", *_CODE)
    return f"{commit}-dirty" if commit and changes else commit


def made(training: dict[str, Any], device: "torch.device") -> dict[str, Any]:
    """Return how a result was made: on `device`, with a model trained in another environment."""
    return {"revision": revision(), "training": training, "evaluation": environment(device)}


def git(*arguments: str) -> str | None:
    """Return what git prints; None without git, outside a repository, or if git fails."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)  # noqa: S603, S607
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip() or None


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
    parts.append(f"{environment['threads']} threads")
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
    found: list[dict[str, Any]] = json.loads(git("show", f"HEAD:./{file}") or "{}").get(
        "environments", []
    )
    return found

"""What a result was computed with: with other of these, the same seed may give other bits."""

import platform
from typing import Any

import numpy as np
import torch

from unmask.core.compute.device import compute
from unmask.core.git import git

_CODE = ("src", "stages", "dvc.yaml")


def environment(device: torch.device) -> dict[str, Any]:
    """Return the libraries and the processor that compute here, as plain JSON values.

    cpu: the instructions that PyTorch uses; threads: how many compute.
    """
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

    `-dirty` follows where changes are not committed.
    """
    commit = git("log", "-1", "--format=%h", "--abbrev=12", "--", *_CODE)
    changes = git("status", "--porcelain", "--", *_CODE)
    return f"{commit}-dirty" if commit and changes else commit


def made(training: dict[str, Any]) -> dict[str, Any]:
    """Return how a result was made that is computed here with a model trained in `training`."""
    here = environment(compute().device)
    return {"revision": revision(), "training": training, "evaluation": here}

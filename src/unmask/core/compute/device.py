"""Where and how precisely a model computes."""

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch

from unmask.core.compute.memory import keep_memory
from unmask.core.compute.team import SOLO, Team


@dataclass(frozen=True)
class Compute:
    """A device, the precision of its arithmetic, and the processes that share the work."""

    device: torch.device
    precision: str
    team: Team = SOLO

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context in which a model's forward pass and loss run."""
        if self.precision == "bf16":
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return nullcontext()


def compute(precision: str = "float32") -> Compute:
    """Choose CUDA, MPS or the CPU, in this order, and resolve the precision `auto` for it.

    Deterministic algorithms are switched on: the same seed gives the same bits on one machine.
    """
    # cuBLAS reads this when it starts; without it, it would refuse to be deterministic.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # The same as use_deterministic_algorithms(True), which also imports the compiler: two seconds.
    torch.set_deterministic_debug_mode("error")
    # Filling every new tensor costs time and hides only reads of memory that nobody wrote.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    # The convolutions of `float32` would otherwise be rounded to TF32, as its products are not.
    torch.backends.cudnn.allow_tf32 = False
    keep_memory()
    device = _device()
    if precision == "auto":
        precision = "bf16" if _has_bf16(device) else "float32"
    return Compute(device, precision)


def _device() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def _has_bf16(device: torch.device) -> bool:
    """Say whether the device computes in bf16 in hardware; emulated, it would be slower."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return False

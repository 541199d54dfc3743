"""Which device computes, and how its results are made reproducible."""

import torch


def choose_device() -> torch.device:
    """Return CUDA if it is there, or else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def has_bf16(device: torch.device) -> bool:
    """Return whether the device computes in bf16 in hardware; emulated, it would be slower."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def make_deterministic() -> None:
    """Make PyTorch use deterministic algorithms: on one machine, a seed always gives the same bits.

    cuBLAS also needs `CUBLAS_WORKSPACE_CONFIG`, which `core.process` sets for every stage.
    """
    # The same as use_deterministic_algorithms(True), which also imports the compiler: two seconds.
    torch.set_deterministic_debug_mode("error")
    # Filling every new tensor costs time and hides only reads of memory that nobody wrote.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    # `float32` would otherwise be rounded to TF32: by PyTorch's default in convolutions, and where
    # a container says so in its environment, in matrix products.
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False

"""Which device computes, and how its results are made reproducible."""

import torch


def choose_device() -> torch.device:
    """Return CUDA, MPS or the CPU, the first of these that is there."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def has_bf16(device: torch.device) -> bool:
    """Return whether the device computes in bf16 in hardware; emulated, it would be slower."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return False


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

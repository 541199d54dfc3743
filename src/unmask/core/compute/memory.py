"""Memory that is used again instead of being given back to the kernel after every step."""

import ctypes
import platform

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # as in <malloc.h>
_NEVER = 2**31 - 1


def keep_memory() -> None:
    """Let glibc keep what large arrays and tensors leave, for the next ones of the same size.

    It would otherwise give large blocks back to the kernel, which must clear each page of the next
    one again. Elsewhere than on glibc this does nothing.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_MAX, 0)
        libc.mallopt(_TRIM_THRESHOLD, _NEVER)

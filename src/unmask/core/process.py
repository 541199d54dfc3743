"""The process that a stage runs in: its environment, Ctrl-C, memory, and the DVC that started it.

`stages/_source.py` calls `prepare` before anything else is imported, so that it makes no difference
whether `dvc repro`, `make`, a queue or a person starts the stage.
"""

import ctypes
import os
import platform
import signal
import sys
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from psutil import Process

ENVIRONMENT = {
    # Threads that wait for each other spin for a moment and then sleep. Alone, training is as fast
    # as with GNU OpenMP's own setting, which is to spin for as long as it takes; two processes on
    # the same cores would starve each other that way.
    "GOMP_SPINCOUNT": "10000",
    # cuBLAS reads this when it starts, and refuses to be deterministic without it.
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
}
"""What libraries read from the environment when they are loaded; a user's own setting wins."""

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # as in <malloc.h>
_NEVER = 2**31 - 1
_SECONDS_BETWEEN_LOOKS = 0.5


def prepare() -> None:
    """Set up the process of a stage, before torch is imported."""
    end_at_once_on_ctrl_c()
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    _keep_memory()
    if "DVC_STAGE" in os.environ:  # a stage that was started by hand may be left to run by itself
        _end_with_dvc()


def end_at_once_on_ctrl_c() -> None:
    """End the process on Ctrl-C from here on; there is nothing to clean up yet.

    While a stage imports what it needs, an exception would not do: libraries swallow any that is
    raised during an import that they can do without, and PyTorch aborts in some of its own.
    """
    _on_ctrl_c(end)


def raise_on_ctrl_c() -> None:
    """Raise KeyboardInterrupt on Ctrl-C from here on, so that half-written files are removed."""
    _on_ctrl_c(signal.default_int_handler)


def end(*_: object) -> NoReturn:
    """Say how to go on, and exit without the interpreter's clean-up, which takes seconds."""
    print("interrupted; run `dvc repro` to go on", file=sys.stderr, flush=True)
    sys.stdout.flush()
    os._exit(128 + signal.SIGINT)


def _on_ctrl_c(handler: Callable[..., Any]) -> None:
    # A script starts its background jobs with Ctrl-C ignored; leave it that way.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, handler)


def _keep_memory() -> None:
    """Let glibc keep the memory that large arrays and tensors free, for the next ones.

    Otherwise it would hand large blocks back to the kernel, which has to clear every page again
    when the next step asks for it. On other C libraries this does nothing.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_MAX, 0)
        libc.mallopt(_TRIM_THRESHOLD, _NEVER)


def _end_with_dvc() -> None:
    """Watch the DVC that started this process, and end when it is gone.

    DVC can be killed in a way that it cannot pass on. A stage that carried on would overwrite what
    the next run makes. Everything it has written so far is complete; training goes on from its
    checkpoint.
    """
    import psutil

    try:
        ancestors = _up_to_dvc(psutil.Process())
    except psutil.NoSuchProcess:
        _end_orphaned()
    if _adopted(ancestors[-1]):
        _end_orphaned()
    threading.Thread(target=_watch, args=(ancestors,), daemon=True).start()


def _up_to_dvc(process: "Process") -> "list[Process]":
    """Return the processes from this one, the first, up to DVC, the last.

    DVC hands the command of a stage to a shell. Some shells become that command; others, such as
    Debian's `sh`, start it and wait, as launchers do. All of these name the stage; DVC does not.
    """
    ancestors = [process, type(process)(os.getppid())]
    while any(sys.argv[0] in word for word in ancestors[-1].cmdline()):
        ancestors.append(type(process)(ancestors[-1].ppid()))
    return ancestors


def _adopted(dvc: "Process") -> bool:
    """Return whether DVC was gone before this process could watch it.

    A child is in its parent's session, unless it began one of its own or SLURM put it somewhere;
    the process that takes in orphans is in another one.
    """
    placed = os.getsid(0) == os.getpid() or "SLURM_PROCID" in os.environ
    return not placed and os.getsid(dvc.pid) != os.getsid(0)


def _watch(ancestors: "list[Process]") -> None:
    import psutil

    try:
        while all(child.ppid() == parent.pid for child, parent in pairwise(ancestors)):
            time.sleep(_SECONDS_BETWEEN_LOOKS)
    except psutil.NoSuchProcess:
        pass
    _end_orphaned()


def _end_orphaned() -> NoReturn:
    print("error: DVC is gone; run `dvc repro` to go on", file=sys.stderr, flush=True)
    os._exit(2)  # not sys.exit, which would end this thread alone

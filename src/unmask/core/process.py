"""The process that a stage runs in: its environment, Ctrl-C, memory, and the DVC that started it.

`stages/_source.py` calls `prepare` before anything else is imported, so that it makes no difference
whether `dvc repro`, `make`, a queue or a person starts the stage.
"""

import ctypes
import gc
import os
import platform
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from psutil import Process

DEFAULTS = {
    # Threads that wait for each other spin for a moment and then sleep. Alone, training is as fast
    # as with GNU OpenMP's own setting, which is to spin for as long as it takes; two processes on
    # the same cores would starve each other that way.
    "GOMP_SPINCOUNT": "10000",
    # cuBLAS reads this when it starts, and refuses to be deterministic without it.
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
}
"""What libraries read from the environment when they are loaded; a user's own setting wins."""

FIXED = {
    # Stages draw into files. A notebook names a backend here that only works inside of it.
    "MPLBACKEND": "agg",
}
"""What a stage needs, whatever the environment says."""

DROPPED = (
    "DVCLIVE_LOGLEVEL", "DVCLIVE_OPEN", "DVCLIVE_RESUME", "DVCLIVE_TEST",
    "DVC_STUDIO_CLIENT_LOGLEVEL", "MATPLOTLIBRC", "PANDAS_FUTURE_INFER_STRING", "PYTORCH_JIT",
    "SOURCE_DATE_EPOCH", "TORCH_DISTRIBUTED_DEBUG", "TORCH_LOGS",
    *(f"TQDM_{name}" for name in (
        "BAR_FORMAT", "DELAY", "INITIAL", "MAXINTERVAL", "MININTERVAL", "MINITERS", "NCOLS",
        "NROWS", "POSITION", "SMOOTHING", "TOTAL", "UNIT_DIVISOR", "UNIT_SCALE",
    )),
)  # fmt: skip
"""Settings that could break a stage and have no use in one."""

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # as in <malloc.h>
_NEVER = 2**31 - 1
_SECONDS_BETWEEN_LOOKS = 0.5


def prepare() -> None:
    """Set up the process of a stage, before torch is imported."""
    # Imports make a million objects and drop none; `stage.run` lets the collector start after them.
    gc.disable()
    end_at_once_on_ctrl_c()
    _set_environment()
    _keep_memory()
    if "DVC_STAGE" in os.environ:  # a stage that was started by hand may be left to run by itself
        _end_with_dvc()


def _set_environment() -> None:
    """Let no setting of a notebook, an IDE, cron or a container break a stage."""
    for name in DROPPED:
        os.environ.pop(name, None)
    os.environ.update(FIXED)
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    # PYTHONWARNINGS=error would turn what libraries warn of into the end of a stage.
    if sys.warnoptions:
        sys.warnoptions.clear()
        warnings.resetwarnings()
        warnings.simplefilter("ignore")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal may know less than UTF-8
            stream.reconfigure(errors="backslashreplace")


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
    checkpoint. If DVC cannot be seen from here, as in a container, nothing is watched.
    """
    import psutil

    try:
        dvc = next((p for p in psutil.Process().parents() if _is_dvc(p)), None)
    except psutil.Error:
        return
    if dvc:
        threading.Thread(target=_watch, args=(dvc,), daemon=True).start()


def _is_dvc(process: "Process") -> bool:
    """Return whether a process is `dvc ...` or `python -m dvc ...`, and not a shell."""
    return any(Path(word).name == "dvc" for word in process.cmdline()[:4])


def _watch(dvc: "Process") -> None:
    import psutil

    try:
        # Between its death and the moment that its parent takes note of it, it is a zombie.
        while dvc.is_running() and dvc.status() != psutil.STATUS_ZOMBIE:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
    except psutil.NoSuchProcess:
        pass
    print("error: DVC is gone; run `dvc repro` to go on", file=sys.stderr, flush=True)
    os._exit(2)  # not sys.exit, which would end this thread alone

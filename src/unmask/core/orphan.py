"""A stage ends with the DVC that runs it."""

import os
import sys
import threading
import time

_SECONDS = 0.5


def end_with_parent() -> None:
    """Watch the process that started this one, and end when it is gone.

    DVC can be killed in a way that it cannot pass on. A stage that went on would write over what
    the next run makes. What it has written so far is whole; training goes on from its checkpoint.
    """
    parent = os.getppid()
    if _adopted(parent):
        _end()
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _adopted(parent: int) -> bool:
    """Say whether DVC was gone before this process could watch it.

    A child is in its parent's session, where it has not begun one or SLURM put it somewhere; who
    takes in orphans is in another one.
    """
    placed = os.getsid(0) == os.getpid() or "SLURM_PROCID" in os.environ
    return not placed and os.getsid(parent) != os.getsid(0)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_SECONDS)
    _end()


def _end() -> None:
    print("error: DVC is gone; run `dvc repro` to go on", file=sys.stderr, flush=True)
    os._exit(2)  # not sys.exit, which would end this thread alone

"""A stage ends with the DVC that runs it."""

import os
import sys
import threading
import time
from itertools import pairwise
from typing import NoReturn

import psutil

_SECONDS = 0.5


def end_with_dvc() -> None:
    """Watch the DVC that started this process, and end when it is gone.

    DVC can be killed in a way that it cannot pass on. A stage that went on would write over what
    the next run makes. What it has written so far is whole; training goes on from its checkpoint.
    """
    try:
        elders = _up_to_dvc()
    except psutil.NoSuchProcess:
        _end()
    if _adopted(elders[-1]):
        _end()
    threading.Thread(target=_watch, args=(elders,), daemon=True).start()


def _up_to_dvc() -> list[psutil.Process]:
    """Return the processes from this one, the first, up to DVC, the last.

    DVC hands the command of a stage to a shell. Some shells become that command; others, such as
    Debian's `sh`, start it and wait, as launchers do. All of these name the stage; DVC does not.
    """
    elders = [psutil.Process(), psutil.Process(os.getppid())]
    while any(sys.argv[0] in word for word in elders[-1].cmdline()):
        elders.append(psutil.Process(elders[-1].ppid()))
    return elders


def _adopted(dvc: psutil.Process) -> bool:
    """Say whether DVC was gone before this process could watch it.

    A child is in its parent's session, where it has not begun one or SLURM put it somewhere; who
    takes in orphans is in another one.
    """
    placed = os.getsid(0) == os.getpid() or "SLURM_PROCID" in os.environ
    return not placed and os.getsid(dvc.pid) != os.getsid(0)


def _watch(elders: list[psutil.Process]) -> None:
    try:
        while all(child.ppid() == elder.pid for child, elder in pairwise(elders)):
            time.sleep(_SECONDS)
    except psutil.NoSuchProcess:
        pass
    _end()


def _end() -> NoReturn:
    print("error: DVC is gone; run `dvc repro` to go on", file=sys.stderr, flush=True)
    os._exit(2)  # not sys.exit, which would end this thread alone

"""Ctrl-C: one line, and the end."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn


def end_at_once_on_ctrl_c() -> None:
    """End the process on Ctrl-C from here on, where there is nothing to tidy up.

    While a stage imports what it needs, an exception would not do: libraries pass over any that
    comes up in an import that they can do without, and PyTorch aborts in some of its own.
    """
    _on_ctrl_c(end)


def raise_on_ctrl_c() -> None:
    """Raise KeyboardInterrupt on Ctrl-C from here on, so that half-written files are removed."""
    _on_ctrl_c(signal.default_int_handler)


def end(*_: object) -> NoReturn:
    """Say how to go on, and end without taking the interpreter apart, which takes seconds."""
    print("interrupted; run `dvc repro` to go on", file=sys.stderr, flush=True)
    sys.stdout.flush()
    os._exit(128 + signal.SIGINT)


def _on_ctrl_c(handler: Callable[..., Any]) -> None:
    # A script starts what it puts into the background with Ctrl-C ignored; that stays so.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, handler)

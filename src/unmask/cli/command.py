"""What commands and scripts share: errors in one line, Ctrl-C, and lines beside a bar."""

import functools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NoReturn

import click

from unmask.core.errors import UserError, in_one_line, printable

FOLDER = click.Path(file_okay=False, path_type=Path)
PATH = click.Path(path_type=Path)


def one_line(command: Callable[..., None]) -> Callable[..., None]:
    """Make whatever a person can fix one line on standard error, and exit status 2."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            command(*arguments, **options)
        except BrokenPipeError:  # `unmask predict ... | head`
            sys.exit(1)
        except (UserError, OSError) as error:
            say(in_one_line(error))
            sys.exit(2)
        except KeyboardInterrupt:
            interrupted()

    return run


def interrupted(*_: object) -> NoReturn:
    """End the process; the handler of SIGINT where an exception could be swallowed."""
    say("interrupted")
    sys.stdout.flush()
    os._exit(128 + signal.SIGINT)  # photos that threads work on need not be waited for


def put(text: str) -> None:
    """Write text on standard output, at once."""
    try:
        with beside_the_bar():
            sys.stdout.write(text)
            sys.stdout.flush()
    except OSError as error:
        # Python would write the rest when it ends, and fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        error.filename = "standard output"
        raise


def say(line: str) -> None:
    """Print one line on standard error, whatever the letters in it."""
    with beside_the_bar():
        print(printable(" ".join(line.split())), file=sys.stderr, flush=True)


@contextmanager
def beside_the_bar() -> Iterator[None]:
    """Let a line be printed while a progress bar may be on the screen."""
    tqdm = sys.modules.get("tqdm")
    with tqdm.tqdm.external_write_mode() if tqdm else nullcontext():
        yield

"""What every stage script shares: its command line and the way it fails."""

import argparse
import inspect
import sys
from collections.abc import Callable

from unmask.core.errors import UserError
from unmask.core.interrupt import end, end_at_once_on_ctrl_c, raise_on_ctrl_c
from unmask.core.seal import refuse_test_labels


def run(main: Callable[..., None], *, reads_test_labels: bool = False) -> None:
    """Call `main` with the command line's arguments, one for each of its parameters, and exit.

    Where `reads_test_labels` is not set, the labels of the test split cannot be opened.

    A UserError and a refusal of the operating system (no such file, disk full) end with one line
    on standard error and exit status 2, Ctrl-C with one line and 130; DVC keeps nothing of a stage
    that fails.
    """
    description = inspect.getdoc(sys.modules[main.__module__])
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in inspect.signature(main).parameters:
        parser.add_argument(name)
    arguments = parser.parse_args()
    if not reads_test_labels:
        sys.addaudithook(refuse_test_labels)
    raise_on_ctrl_c()
    try:
        main(**vars(arguments))
    except KeyboardInterrupt:
        end()
    except UserError as error:
        _fail(str(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror or error}; mend this and run again")
    end_at_once_on_ctrl_c()


def _fail(line: str) -> None:
    line = "".join(letter if letter.isprintable() else "?" for letter in " ".join(line.split()))
    print(f"error: {line}", file=sys.stderr)
    sys.exit(2)

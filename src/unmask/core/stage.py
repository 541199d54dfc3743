"""What every stage script shares: its command line, the seal on the test labels, how it fails."""

import argparse
import gc
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from unmask.core.errors import UserError, in_one_line
from unmask.core.process import end, end_at_once_on_ctrl_c, raise_on_ctrl_c

TEST_LABELS = "data/test_labels.npy"
"""Where `ingest` puts the labels of the test split, and nowhere else."""

_SOURCES = Path("data/raw")

_OUTPUTS = [
    Path(name)
    for name in ("data", "models", "metrics", "laboratory", "seeds", "readers", "release", "report")
]


def run(main: Callable[..., None], *, reads_test_labels: bool = False) -> None:
    """Call `main` with the command line's arguments, one for each of its parameters, and exit.

    A parameter with a default is optional. Unless `reads_test_labels` is set, the labels of the
    test split cannot be opened.

    A UserError, a refusal of the operating system (no such file, disk full) and too little memory
    end with one line on standard error and exit status 2, Ctrl-C with one line and 130; DVC keeps
    nothing of a stage that fails.
    """
    # What was imported stays to the end, so the collector need not look at it, now or when the
    # interpreter exits.
    gc.freeze()
    gc.enable()
    arguments = _parser(main).parse_args()
    if not reads_test_labels:
        sys.addaudithook(_refuse_test_labels)
    raise_on_ctrl_c()
    try:
        _refuse_linked_folders()
        main(**vars(arguments))
    except KeyboardInterrupt:
        end()
    except (UserError, OSError) as error:
        _fail(error)
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        _fail(UserError("out of memory; lower the batch_size, or the network's width"))
    end_at_once_on_ctrl_c()
    gc.freeze()


def _fail(error: UserError | OSError) -> NoReturn:
    print(in_one_line(error), file=sys.stderr)
    sys.exit(2)


def _is_out_of_memory(error: MemoryError | RuntimeError) -> bool:
    """Return whether there was too little memory, by Python, by PyTorch on a GPU, or on a CPU."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "can't allocate memory" in str(error)
    )


def _parser(main: Callable[..., None]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=inspect.getdoc(sys.modules[main.__module__]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, parameter in inspect.signature(main).parameters.items():
        if parameter.default is inspect.Parameter.empty:
            parser.add_argument(name)
        else:
            parser.add_argument(name, nargs="?", default=parameter.default)
    return parser


def _refuse_linked_folders() -> None:
    """Raise UserError if a folder of outputs is a link to somewhere else.

    DVC refuses what lies outside of the repository, but only when the stage has ended. So does the
    system if the other disk is gone.
    """
    here = Path.cwd().resolve()
    for folder in _OUTPUTS:
        for path in (folder, *folder.glob("*"), *folder.glob("*/*")):
            is_folder = path.is_dir() or path == folder
            is_source = path.parent == _SOURCES
            if is_folder and not is_source and _leads_out_of(here, path):
                raise UserError(
                    f"{path}: a link to another disk or folder, where DVC keeps nothing; make it a "
                    "folder, and move DVC's cache there instead: `dvc config --local cache.dir "
                    "PATH` and `dvc config --local cache.type symlink`"
                )


def _leads_out_of(here: Path, path: Path) -> bool:
    if not path.is_symlink():
        return False
    try:
        end = path.resolve()
    except RuntimeError:  # of a link to itself, which Python 3.13 returns instead
        return True
    return end.is_symlink() or not end.is_relative_to(here)


def _refuse_test_labels(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse to open a file of test labels; an audit hook (PEP 578) of the Python interpreter."""
    if event == "open" and Path(str(arguments[0])).name == Path(TEST_LABELS).name:
        raise UserError(
            f"{arguments[0]}: only the audit and the evaluation may read the labels of the test "
            "split; learn from training faces, and choose by validation"
        )

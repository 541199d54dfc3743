"""`unmask report`: everything that the pipeline found, on one page."""

import os
import subprocess
import sys
from pathlib import Path

import click

from unmask.cli.command import one_line, put
from unmask.core.errors import UserError

_PIPELINE = Path("report/dvc.yaml")
_PAGE = Path("report/index.html")


@click.command()
@click.option("--open", "show", is_flag=True, help="Open the page in your browser.")
@one_line
def report(show: bool) -> None:
    """Make the page of results, and everything in the pipeline that it needs.

    Runs `dvc repro report/dvc.yaml` in the working folder, which has to be a clone.
    """
    if not _PIPELINE.is_file():
        raise UserError(f"no {_PIPELINE} here; run this at the top of a clone of the repository")
    _run(sys.executable, "stages/check_params.py")  # DVC fails on some values and names no key
    _run(sys.executable, "-m", "dvc", "repro", str(_PIPELINE))
    put(f"{_PAGE.resolve()}\n")
    if show:
        click.launch(_PAGE.resolve().as_uri())


def _run(*words: str) -> None:
    """Run a command; if it fails, it has said why, and this process ends with the same status."""
    own = Path(sys.executable).parent  # stages are run by the `python` that is found first
    environment = os.environ | {"PATH": f"{own}{os.pathsep}{os.environ.get('PATH', '')}"}
    if status := subprocess.run(words, env=environment).returncode:  # noqa: S603
        sys.exit(status if status > 0 else 128 - status)

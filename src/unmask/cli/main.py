"""The command `unmask`: a file for each of its commands.

Nothing that takes long to import is imported before it is needed, so that help comes at once.
"""

import codecs
import os
import sys
from io import TextIOWrapper

import click

from unmask.cli.demo import demo
from unmask.cli.export import export
from unmask.cli.fetch import fetch
from unmask.cli.predict import predict
from unmask.cli.report import report
from unmask.cli.sheet import sheet


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="unmask")
def main() -> None:
    """Read the expressions of faces, with and without a mask."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed, as by `<&-`
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
    for stream in (sys.stdin, sys.stdout):
        # A file's name need not be UTF-8. What PYTHONIOENCODING names instead of `strict` stays.
        if isinstance(stream, TextIOWrapper) and stream.errors == "strict":
            escapes = stream is sys.stdin or codecs.lookup(stream.encoding).name == "utf-8"
            stream.reconfigure(errors="surrogateescape" if escapes else "backslashreplace")


for command in (predict, sheet, demo, export, fetch, report):
    main.add_command(command)

"""`unmask predict`: the expressions of all faces in photos."""

import errno
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unmask.cli.command import FOLDER, PATH, interrupted, one_line, put, say
from unmask.core.errors import UserError

if TYPE_CHECKING:
    from unmask.photos.images import Source
    from unmask.photos.predict import PhotoResult

# If a picture cannot be saved for one of these, others can.
_OF_ITS_NAME = {errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR, errno.EEXIST}


def _share(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """Return I and N of `I/N`."""
    if value is None:
        return None
    number, _, count = value.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise click.BadParameter(f"{value!r} is no share; use I/N with I from 1 to N, as 1/8")
    return int(number), int(count)


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--model", type=PATH, metavar="FOLDER",
    help="A trained model that reads all faces; by default, release/reader reads them and, where "
    "no mask is seen, release/whole_reader if it is there.",
)  # fmt: skip
@click.option(
    "--format", "kind", type=click.Choice(["table", "json", "csv"]), default="table",
    show_default=True, help="json: one object per line and photo; csv: one line per face.",
)  # fmt: skip
@click.option(
    "--faces-are-cropped", is_flag=True,
    help="Each photo is one face, framed as in FER2013; needs no face models.",
)  # fmt: skip
@click.option("--save-crops", type=FOLDER, metavar="DIR", help="Save what was read, 48x48.")
@click.option("--annotate", type=FOLDER, metavar="DIR", help="Save photos with faces marked.")
@click.option(
    "--completion", type=PATH, metavar="FOLDER",
    help="A trained reconstructor: what it would draw behind the mask is saved with crops and "
    "annotated photos, marked as drawn.",
)  # fmt: skip
@click.option(
    "--shard", callback=_share, metavar="I/N", help="Read share I of N only, for job arrays."
)
@one_line
def predict(paths: tuple[str, ...], **options: Any) -> None:
    """Read the expression of every face in photos.

    PATH is a photo, a folder of photos with all below it, a pattern such as 'a/*.jpg', or - for a
    list of these on standard input. A photo that cannot be read is reported and left out; the exit
    status is 1 then.
    """
    from unmask.photos.images import expand, refuse_same_names, share

    sources, problems = expand(paths, sys.stdin)
    for problem in problems:
        say(f"error: {problem}")
    saves = options["save_crops"] or options["annotate"]
    if options["completion"] and not saves:
        raise UserError("--completion: nowhere to show it; add --save-crops DIR or --annotate DIR")
    if saves and sources:
        refuse_same_names(sources)
    if options["shard"]:
        sources = share(sources, *options["shard"])
    failed = 0
    if sources:
        failed = _predict(sources, **options)
    elif options["kind"] == "csv":  # so that all shares have the same first line
        from unmask.photos.output import head

        put(head("csv"))
    sys.exit(1 if failed or problems else 0)


def _predict(sources: list["Source"], model: Path | None, kind: str, **options: Any) -> int:
    """Print what is read of photos as soon as it is; return how many went wrong."""
    from unmask.core.progress import Progress
    from unmask.photos import output
    from unmask.photos.predict import Predictor

    predictor = Predictor(
        model, faces_are_cropped=options["faces_are_cropped"], completion=options["completion"]
    )
    for folder in predictor.uncalibrated:
        say(f"note: {folder}: no calibration.json, so probabilities are raw and none is unsure")
    width = max(len(str(source.path)) for source in sources)
    put(output.head(kind, width))
    progress, failed = Progress("photos"), 0
    # Not by an exception: libraries swallow one that is raised in a callback of theirs.
    ctrl_c = _CtrlC()
    signal.signal(signal.SIGINT, ctrl_c)
    try:
        results = predictor(source.path for source in sources)
        for number, (source, photo) in enumerate(zip(sources, results, strict=True), 1):
            with ctrl_c.waiting():
                if not (photo.error and kind == "table"):
                    put(output.lines(kind, str(source.path), photo, width))
                unsaved = _save(source, photo, options["save_crops"], options["annotate"])
                if problem := photo.problem if photo.error else unsaved:
                    failed += 1
                    say(f"error: {problem}")
            progress.show(number, len(sources), f"{number} of {len(sources)}", 10.0)
    finally:
        progress.close()
    return failed


def _save(
    source: "Source", photo: "PhotoResult", crops: Path | None, annotated: Path | None
) -> str | None:
    """Save pictures of a photo; return what is wrong if it is wrong with this photo only."""
    from unmask.photos.drawing import save_annotated, save_crops
    from unmask.sources.text import shown

    for folder, save in ((crops, save_crops), (annotated, save_annotated)):
        try:
            if folder:
                save(folder, source, photo)
        except UserError as error:
            return str(error)
        except OSError as error:
            if error.errno not in _OF_ITS_NAME or not (folder and folder.is_dir()):
                raise
            what = (error.strerror or str(error)).lower()
            return f"{shown(source.path)}: a picture is not saved in {folder} ({what}); rename it"
    return None


class _CtrlC:
    """Ends the process; the first time, only when a line or a picture has been written whole."""

    def __init__(self) -> None:
        self._waits = self._came = False

    def __call__(self, *_: object) -> None:
        if not self._waits or self._came:
            interrupted()
        self._came = True

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Let it wait for what is done within."""
        self._waits = True
        # A write that a signal interrupts may write a part. Where another thread gets the signal,
        # Python still calls the handler in this one.
        blocks = hasattr(signal, "pthread_sigmask")
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if blocks else set()
        try:
            yield
        finally:
            self._waits = False
            if blocks:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
            if self._came:
                interrupted()

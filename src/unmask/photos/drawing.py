"""Pictures of what was read: crops, photos with faces marked, and completed faces."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from unmask.core.errors import UserError
from unmask.core.faces import SIZE
from unmask.core.files import atomic_write
from unmask.core.mask import UPPER_ROWS
from unmask.photos.images import Source, read_photo
from unmask.photos.output import said
from unmask.photos.predict import FaceResult, PhotoResult
from unmask.sources.text import shown

DRAWN = "drawn by a model"
_SURE, _UNSURE, _UNREAD = (0, 200, 90), (255, 170, 0), (230, 60, 60)
_TIMES, _STRIP, _GAP = 4, 18, 8  # enlargement of a completed face; pixels below and beside it
_MOST_OF_JPEG = 65_500  # pixels of a side


def save_crops(folder: Path, source: Source, photo: PhotoResult) -> None:
    """Write each face that was read, 48x48 grey, and, if there is one, the completed face."""
    for number, face in enumerate(photo.faces, 1):
        if face.problem is None:
            _save(Image.fromarray(face.crop), folder / f"{source.name}-{number}.png")
        if face.completed is not None:
            _save(completed_face(face.completed), folder / f"{source.name}-{number}.completed.png")


def save_annotated(folder: Path, source: Source, photo: PhotoResult) -> None:
    """Write the photo with its faces marked, if it has any.

    Raises UserError if the photo cannot be read once more.
    """
    if photo.faces:
        # Read once more: to keep photos until their faces are read could take all memory.
        if not source.path.is_file():  # a pipe would be waited for without end
            raise UserError(
                f"{shown(source.path)}: cannot be read again to mark its faces; save it as a file"
            )
        annotated = annotate(read_photo(source.path), photo)
        _save(annotated, folder / f"{source.name}.annotated.jpg")


def annotate(image: Image.Image, photo: PhotoResult) -> Image.Image:
    """Return an RGB photo with a box around each face, and what was read of it above.

    Completed faces stand beside the photo, with the numbers of theirs.
    """
    pen = ImageDraw.Draw(image)
    width = max(2, round(max(image.size) / 300))
    font = ImageFont.load_default(max(12, round(max(image.size) / 45)))
    for number, face in enumerate(photo.faces, 1):
        colour = _UNREAD if face.problem else _UNSURE if face.unsure else _SURE
        pen.rectangle(face.box, outline=colour, width=width)
        _label(image, pen, face.box[:2], f"{number}: {_words(face)}", font, colour)
    return _with_completed(image, photo)


def completed_face(pixels: NDArray[np.uint8], before: str = "") -> Image.Image:
    """Return a completed face, enlarged; its lower half is tinted and said to be drawn.

    before: what stands before the words that say so.
    """
    side = _TIMES * SIZE
    tinted = np.repeat(pixels[..., np.newaxis], 3, axis=2).astype(np.float64)
    tinted[UPPER_ROWS:] = 0.75 * tinted[UPPER_ROWS:] + 0.25 * np.array([255, 140, 0])
    enlarged = Image.fromarray(tinted.round().astype(np.uint8)).resize((side, side))
    sheet = Image.new("RGB", (side, side + _STRIP), "white")
    sheet.paste(enlarged, (0, 0))
    pen = ImageDraw.Draw(sheet)
    pen.text(
        (side / 2, side + _STRIP / 2), f"{before}lower half {DRAWN}", fill="black", anchor="mm"
    )
    return sheet


def _words(face: FaceResult) -> str:
    if face.problem:
        return "not read"
    return f"{said(face)}, {'mask' if face.masked else 'no mask'}"


def _label(
    image: Image.Image, pen: ImageDraw.ImageDraw, corner: tuple[float, ...], text: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont, colour: tuple[int, int, int],
) -> None:  # fmt: skip
    """Write above a corner, or as near to it as is inside of the picture."""
    *_, right, bottom = pen.textbbox((0, 0), text, font=font)
    x = max(0, min(corner[0], image.width - right - 4))
    y = max(0, corner[1] - bottom - 4)
    pen.rectangle((x, y, x + right + 4, y + bottom + 4), fill=colour)
    pen.text((x + 2, y + 2), text, fill="black", font=font)


def _with_completed(image: Image.Image, photo: PhotoResult) -> Image.Image:
    """Return the photo with its completed faces in columns on its right, if it has any."""
    sheets = [
        completed_face(face.completed, f"{number}: ")
        for number, face in enumerate(photo.faces, 1)
        if face.completed is not None
    ]
    if not sheets:
        return image
    across, down = sheets[0].width + _GAP, sheets[0].height + _GAP
    rows = max(1, image.height // down)
    columns = -(-len(sheets) // rows)
    size = (image.width + columns * across, max(image.height, down))
    wider = Image.new("RGB", size, "white")
    wider.paste(image, (0, 0))
    for index, sheet in enumerate(sheets):
        column, row = divmod(index, rows)
        wider.paste(sheet, (image.width + _GAP + column * across, row * down))
    return wider


def _save(image: Image.Image, path: Path) -> None:
    image.thumbnail((_MOST_OF_JPEG, _MOST_OF_JPEG))
    with atomic_write(path) as temporary:
        image.save(temporary, format="PNG" if path.suffix == ".png" else "JPEG", quality=92)

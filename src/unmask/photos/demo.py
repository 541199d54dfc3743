"""What the page of `unmask demo` shows: a photo, its faces, and what is read and drawn of each."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from unmask.core.errors import UserError
from unmask.core.faces import CLASSES, SIZE
from unmask.models.folder import read_config
from unmask.photos.drawn_mask import Style, draw
from unmask.photos.finder import FaceFinder
from unmask.photos.images import read_photo
from unmask.photos.predict import FaceResult, PhotoResult, Predictor
from unmask.photos.reader import Reader, completed, load_reader, load_reconstructor
from unmask.sample.synthetic import draw_face, draw_units
from unmask.sources.text import shown

CROPPED = "Already a cropped face, framed as in FER2013"
"""What is ticked for a picture that is nothing but a face, framed as FER2013's are."""

NO_FACE = (
    f"No face found; if the picture is nothing but a face, tick “{CROPPED}” and choose it again."
)

_MOST_SHOWN = 1280  # pixels of the longer side of a photo, as it is shown


class Reconstruction(NamedTuple):
    """What one reconstructor draws of a face.

    face: uint8 [48,48], its lower half drawn. probabilities: by expression, of the classifier that
    was trained on this reconstructor's faces, or None without one. calibrated: whether they are.
    """

    name: str
    face: NDArray[np.uint8]
    probabilities: dict[str, float] | None
    calibrated: bool


@dataclass(frozen=True)
class Answer:
    """What is said of a photo.

    problem: what is wrong with it, and what to do; there is no photo then, unless it has no face.
    photo: upright, RGB, at most 1280 pixels. result: of the photo in its own size.
    reconstructions: of each of its faces; none of a face that is not read.
    """

    problem: str | None = None
    photo: Image.Image | None = None
    result: PhotoResult = field(default_factory=PhotoResult)
    reconstructions: tuple[tuple[Reconstruction, ...], ...] = ()

    @property
    def chosen(self) -> int:
        """The largest face that was read, or else the largest."""

        def rank(face: FaceResult) -> tuple[bool, float]:
            return face.problem is None, face.box[2] - face.box[0]

        faces = self.result.faces
        return max(range(len(faces)), key=lambda number: rank(faces[number]))


class Demo:
    """Answers photos, one at a time, whatever threads they come from.

    model: folder of a classifier that reads all faces, or None for the released ones. completions:
    folders of reconstructors. Raises UserError, one line, if a model is missing.
    """

    def __init__(self, model: Path | None = None, completions: Sequence[Path] = ()) -> None:
        # One thread for all: each other thread would open the face models once more.
        self._thread = ThreadPoolExecutor(1)
        self._in_photo = self._thread.submit(Predictor, model, threads=1).result()
        self._cropped = self._in_photo.of_cropped_faces()
        self.uncalibrated = self._in_photo.uncalibrated
        self._reconstructors = [_load(folder) for folder in completions]
        self.has_reconstructors = bool(self._reconstructors)

    def __call__(self, photo: Path | Image.Image, cropped: bool = False) -> Answer:
        """Return what is read of a photo, and what is drawn; raises nothing for a bad one."""
        return self._thread.submit(self._answer, photo, cropped).result()

    def _answer(self, photo: Path | Image.Image, cropped: bool) -> Answer:
        try:
            image = read_photo(photo)
        except UserError as error:
            where = f"{shown(photo)}: " if isinstance(photo, Path) else ""
            return Answer(f"This file: {str(error).removeprefix(where)}.")
        (result,) = (self._cropped if cropped else self._in_photo)([image])
        image.thumbnail((_MOST_SHOWN, _MOST_SHOWN))
        problem = None if result.faces else NO_FACE
        return Answer(problem, image, result, self._drawn(result.faces))

    def _drawn(self, faces: Sequence[FaceResult]) -> tuple[tuple[Reconstruction, ...], ...]:
        read = [number for number, face in enumerate(faces) if face.problem is None]
        drawn: list[list[Reconstruction]] = [[] for _ in faces]
        if not read:
            return tuple(map(tuple, drawn))
        crops = np.stack([faces[number].crop for number in read])
        for name, model, reader in self._reconstructors:
            wholes = completed(model, crops)
            tables = reader.probabilities(wholes).tolist() if reader else [None] * len(read)
            for number, whole, row in zip(read, wholes, tables, strict=True):
                likely = dict(zip(reader.classes, row, strict=True)) if reader and row else None
                calibrated = bool(reader and reader.calibration)
                drawn[number].append(Reconstruction(name, whole, likely, calibrated))
        return tuple(map(tuple, drawn))


def trained() -> list[Path]:
    """Return the folders of the reconstructors that the pipeline has trained, by name."""
    return sorted(config.parent for config in Path().glob("models/reconstructors/*/config.json"))


def _load(folder: Path) -> tuple[str, nn.Module, Reader | None]:
    """Return a reconstructor's name, itself and the classifier of its faces, if there is one."""
    folder = folder.absolute()
    model, name = load_reconstructor(folder), read_config(folder).architecture
    final = folder.parent.parent / "final" / folder.name
    return folder.name, model, load_reader(final, stitched=name) if final.is_dir() else None


class Example(NamedTuple):
    """A picture of synthetic faces to try. cropped: whether it is nothing but a face."""

    title: str
    picture: Image.Image
    cropped: bool = False


def examples() -> list[Example]:
    """Draw the examples: nobody in them is real. Raises UserError without the face models."""
    happy, surprised, sad = (_synthetic(name) for name in ("happy", "surprise", "sad"))
    portrait = _portrait(happy)
    masked = _masked(_portrait(surprised))
    three = [_portrait(sad), masked, portrait]
    together = Image.fromarray(np.concatenate([np.asarray(one) for one in three], axis=1))
    return [
        Example("With a mask", masked),
        Example("Without", portrait),
        Example("Three people", together),
        Example("Cropped face", Image.fromarray(happy), cropped=True),
    ]


def _synthetic(expression: str) -> NDArray[np.uint8]:
    random = np.random.default_rng([SIZE, label := CLASSES.index(expression)])
    return draw_face(draw_units(label, random), random)


def _portrait(face: NDArray[np.uint8]) -> Image.Image:
    """Return a face as a framed picture on a wall, RGB, [400,400]."""
    wall, frame = (
        Image.new("RGB", (400, 400), (176, 184, 190)),
        Image.new("RGB", (264, 264), "white"),
    )
    frame.paste(Image.fromarray(face).resize((240, 240), Image.Resampling.BICUBIC), (12, 12))
    wall.paste(frame, (68, 68))
    return wall


def _masked(portrait: Image.Image) -> Image.Image:
    """Return a portrait with a mask drawn on."""
    (face,) = FaceFinder()(portrait)
    assert face.landmarks  # noqa: S101, the same portrait each time
    return Image.fromarray(draw(np.asarray(portrait), face.landmarks.points, Style()))

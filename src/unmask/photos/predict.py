"""Reading the expressions of all faces in photos."""

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from unmask.core.errors import UserError
from unmask.core.faces import SIZE
from unmask.photos.finder import Face, FaceFinder
from unmask.photos.images import Photo, read_photo
from unmask.photos.mask_detector import load_mask_detector
from unmask.photos.reader import (
    MASKED,
    WHOLE,
    Reader,
    completed,
    load_reader,
    load_reconstructor,
    released,
    run,
)
from unmask.photos.threads import ahead, cores, for_each_thread

MASKED_READER, WHOLE_READER = "masked-face reader", "whole-face reader"

NO_FACE = "no face found; if the photo is nothing but a face, use --faces-are-cropped"

_LEAST_WIDTH = 24.0  # half of what a reader sees, in pixels
_MOST_OUTSIDE = 0.15  # of eyes and brows
_AT_ONCE = 16  # photos whose faces are read together
_MOST_THREADS = 8


@dataclass(frozen=True)
class FaceResult:
    """What was read of one face.

    box: left, top, right, bottom, in pixels of the photo turned upright, [4]. score: of the
    detector, in [0,1]. crop: what was read, uint8 [48,48], grey; row 24 is the mask's edge.
    mask_probability: that the face is masked; `masked` is whether it is above 0.5. probabilities:
    of each expression, by name; they sum to 1. expression: the likeliest. unsure: whether its
    probability is below what the reader was calibrated for. calibrated: whether it was calibrated.
    read_by: the masked-face or the whole-face reader. completed: uint8 [48,48], the crop with a
    lower half drawn by a model, evidence of nothing, if this was asked for. problem: why the face
    was not read; what depends on reading it is None then.
    """

    box: tuple[float, float, float, float]
    score: float
    crop: NDArray[np.uint8]
    masked: bool | None = None
    mask_probability: float | None = None
    expression: str | None = None
    unsure: bool | None = None
    probabilities: dict[str, float] | None = None
    calibrated: bool | None = None
    read_by: str | None = None
    completed: NDArray[np.uint8] | None = None
    problem: str | None = None


@dataclass(frozen=True)
class PhotoResult:
    """The faces of one photo, from left to right.

    width, height: of the photo turned upright, in pixels. problem: what is wrong, and what to do.
    error: whether it is the photo that is wrong; one without a face is not.
    """

    width: int = 0
    height: int = 0
    faces: tuple[FaceResult, ...] = ()
    problem: str | None = None
    error: bool = False


def predict(
    images: Photo | Sequence[Photo],
    model: str | Path | None = None,
    *,
    faces_are_cropped: bool = False,
    completion: str | Path | None = None,
) -> list[PhotoResult]:
    """Read the expression of every face in every image; see `unmask.predict`."""
    single = isinstance(images, (str, Path, Image.Image, np.ndarray))
    photos: list[Photo] = [images] if single else list(images)  # type: ignore[list-item, arg-type]
    predictor = Predictor(model, faces_are_cropped=faces_are_cropped, completion=completion)
    results = []
    for result in predictor(photos):
        if result.error:
            raise UserError(str(result.problem))
        results.append(result)
    return results


class FacesInPhotos:
    """Finds the faces in photos, any number of them, some photos ahead of who asks for them.

    faces_are_cropped, threads: as of a `Predictor`.
    """

    def __init__(self, *, faces_are_cropped: bool = False, threads: int | None = None) -> None:
        self._find: Callable[[Image.Image], list[Face]] = _all_of_it
        if not faces_are_cropped:
            self._find = for_each_thread(FaceFinder)
        self.threads = threads or min(cores(), _MOST_THREADS)

    def __call__(self, photos: Iterable[Photo]) -> Iterator[tuple[PhotoResult, list[Face]]]:
        """Yield each photo with its faces, none of them read, in order."""
        return ahead(self._faces, photos, self.threads)

    def _faces(self, photo: Photo) -> tuple[PhotoResult, list[Face]]:
        try:
            image = read_photo(photo)
        except UserError as error:
            return PhotoResult(problem=str(error), error=True), []
        faces = self._find(image)
        problem = None if faces else NO_FACE
        return PhotoResult(image.width, image.height, problem=problem), faces


class Predictor:
    """Finds and reads faces in photos, any number of them, in the memory of a few.

    model: folder of a classifier that reads all faces; None has masked faces read by the masked
        reader that comes with a clone, and others by its whole-face reader.
    faces_are_cropped: each photo is one face, framed as FER2013's are; no face models are needed.
    completion: folder of a reconstructor that draws what the mask hides.
    threads: photos that are worked on at the same time; None means one for each core, up to 8.

    Raises UserError, one line, if a model is missing.
    """

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        faces_are_cropped: bool = False,
        completion: str | Path | None = None,
        threads: int | None = None,
    ) -> None:
        self._reader = load_reader(Path(model) if model is not None else released(MASKED))
        whole = released(WHOLE)
        self._whole = load_reader(whole) if model is None and whole.is_dir() else None
        self._is_masked = load_mask_detector()
        self._reconstructor = load_reconstructor(Path(completion)) if completion else None
        self._faces = FacesInPhotos(faces_are_cropped=faces_are_cropped, threads=threads)

    @property
    def uncalibrated(self) -> list[Path]:
        """The folders of readers without a calibration, which are never unsure."""
        readers = [self._reader] + ([self._whole] if self._whole else [])
        return [reader.folder for reader in readers if reader.calibration is None]

    def of_cropped_faces(self) -> "Predictor":
        """Return one with the same models for which each photo is one face."""
        other = copy.copy(self)
        other._faces = FacesInPhotos(faces_are_cropped=True, threads=self._faces.threads)
        return other

    def __call__(self, photos: Iterable[Photo]) -> Iterator[PhotoResult]:
        """Yield the result of each photo, in order."""
        some: list[tuple[PhotoResult, list[Face]]] = []
        for found in self._faces(photos):
            some.append(found)
            if len(some) == _AT_ONCE:
                yield from self._read(some)
                some = []
        yield from self._read(some)

    def _read(self, photos: list[tuple[PhotoResult, list[Face]]]) -> Iterator[PhotoResult]:
        every = [face for _, faces in photos for face in faces]
        good = [face for face in every if problem_of(face) is None]
        read = dict(zip(map(id, good), self._results(good), strict=True))
        for photo, faces in photos:
            results = tuple(read.get(id(face)) or _unread(face) for face in faces)
            yield PhotoResult(photo.width, photo.height, results, photo.problem, photo.error)

    def _results(self, faces: list[Face]) -> Iterator[FaceResult]:
        if not faces:
            return
        crops = np.stack([face.crop for face in faces])
        masks = run(self._is_masked, crops).sigmoid().numpy()
        drawn = completed(self._reconstructor, crops) if self._reconstructor else None
        chosen = [self._choose(mask > 0.5) for mask in masks]
        tables = {id(reader): reader.probabilities(crops) for reader in dict.fromkeys(chosen)}
        for row, (face, reader) in enumerate(zip(faces, chosen, strict=True)):
            likelihoods = tables[id(reader)][row]
            yield FaceResult(
                box=_box(face),
                score=face.score,
                crop=face.crop,
                masked=bool(masks[row] > 0.5),
                mask_probability=float(masks[row]),
                expression=reader.classes[int(likelihoods.argmax())],
                unsure=bool(likelihoods.max() < reader.threshold),
                probabilities=dict(zip(reader.classes, likelihoods.tolist(), strict=True)),
                calibrated=reader.calibration is not None,
                read_by=MASKED_READER if reader.view == "upper" else WHOLE_READER,
                completed=drawn[row] if drawn is not None else None,
            )

    def _choose(self, masked: bool) -> Reader:
        return self._whole if self._whole and not masked else self._reader


def problem_of(face: Face) -> str | None:
    """Return why a face cannot be read and what to do, or None if it can."""
    width = face.box[2] - face.box[0]
    if width < _LEAST_WIDTH:
        pixels = "1 pixel" if round(width) == 1 else f"{width:.0f} pixels"
        return (
            f"a face of {pixels} is too small to read; "
            f"take a photo in which it is {_LEAST_WIDTH:.0f} or more wide"
        )
    if face.outside > _MOST_OUTSIDE:
        return "cut by the edge of the photo; take one that shows the whole face"
    return None


def _unread(face: Face) -> FaceResult:
    return FaceResult(_box(face), face.score, face.crop, problem=problem_of(face))


def _box(face: Face) -> tuple[float, float, float, float]:
    left, top, right, bottom = (round(float(value), 1) for value in face.box)
    return left, top, right, bottom


def _all_of_it(photo: Image.Image) -> list[Face]:
    """Return the one face that a photo is."""
    smaller = min(photo.size) < SIZE
    resample = Image.Resampling.BILINEAR if smaller else Image.Resampling.BOX
    crop = np.asarray(photo.convert("L").resize((SIZE, SIZE), resample))
    to_photo = np.diag([photo.width / SIZE, photo.height / SIZE]) @ np.eye(2, 3)
    box = np.array([0.0, 0.0, *photo.size])
    return [Face(box, 1.0, to_photo, crop, outside=0.0, landmarks=None)]

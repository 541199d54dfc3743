"""Reading the expression of masked faces."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from unmask.photos.images import Photo
    from unmask.photos.predict import PhotoResult


def load(folder: str | Path) -> "nn.Module":
    """Return the trained model in `folder`, on the CPU in evaluation mode, ready to be called.

    folder: one that training wrote, such as `models/baseline`; nothing else is needed. A classifier
    maps faces or upper halves, float [B,1,H,W] in [0,1], to logits [B,7]; a reconstructor maps
    upper halves, float [B,1,24,48] in [0,1], to lower halves of the same shape. `config.json` in
    the folder says which of them it is, and what it was trained on.

    Raises UserError, one line, if the folder is not a model that this version of unmask can read.
    """
    from unmask.models.folder import load_model

    return load_model(folder)


def predict(
    images: "Photo | Sequence[Photo]",
    model: str | Path | None = None,
    *,
    faces_are_cropped: bool = False,
    completion: str | Path | None = None,
) -> "list[PhotoResult]":
    """Return what every face in every image expresses, a result for each image, in order.

    images: one image or a sequence of them: paths, PIL images, or arrays, uint8 [H,W] grey or
        [H,W,3] red, green, blue in 0 to 255.
    model: folder of a trained classifier that reads all faces; by default, masked ones are read by
        `release/reader`, and whole ones by `release/whole_reader`.
    faces_are_cropped: each image is one face, framed as FER2013's are. Otherwise faces are looked
        for with models that `unmask fetch face-models` gets.
    completion: folder of a reconstructor; each result then has the face as it would complete it.

    A result has `width` and `height` in pixels and `faces`, from left to right. A face has its
    `box` (left, top, right, bottom, in pixels of the upright image), `masked`, `expression`,
    `unsure`, `probabilities` by expression, which sum to 1, and `crop`, uint8 [48,48], which is
    what was read; `FaceResult` in `unmask.photos.predict` describes them all.

    Raises UserError, one line, for an image that cannot be read and for a model that is missing.
    """
    from unmask.photos.predict import predict

    return predict(images, model, faces_are_cropped=faces_are_cropped, completion=completion)

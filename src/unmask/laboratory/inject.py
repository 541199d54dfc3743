"""Injecting a leak: the faces, labels and splits that a careless study would have worked with.

Everything that such a study does wrong with its data goes into a face set; from there on, training
and evaluation are the pipeline's own.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from unmask.core.faces import SIZE, TEST, TRAIN, VALIDATION, FaceBlock, FaceSet, FaceSetWriter
from unmask.core.mask import UPPER_ROWS, crop, stitch
from unmask.core.randomness import uniform
from unmask.laboratory.labels import refuse_soft_labels
from unmask.params.laboratory import Experiment
from unmask.params.models import Train
from unmask.training.augmentation import augment

COPIES = 2
"""Altered copies of each face if `split` is `augmented`."""

ALTERED = {
    "flip": 0.5, "rotation": 10.0, "shift": 2.0,
    "scale": 0.0, "brightness": 0.0, "contrast": 0.0, "erasing": 0.0,
}  # fmt: skip
"""How copies are altered, as settings of `train.classifier`."""

Items = NDArray[np.int64]  # [n,2]: index of a face, and number of its copy, 0 for the face itself

_SPLIT, _LABELS, _LOWER, _NOISE = range(4)  # keys that keep the draws independent
_BLOCK = 4096


def inject(
    faces: FaceSet,
    keep: NDArray[np.bool_],
    flat: NDArray[np.bool_],
    stitched: NDArray[np.uint8],
    experiment: Experiment,
    train: Train,
    folder: Path,
) -> None:
    """Write the face set of `experiment` as `folder`/faces and `folder`/test_labels.npy.

    faces: unsealed; keep: bool [N], the faces that the audit keeps; flat: bool [N], the pictures
    that it says show no face; stitched: uint8 [N,48,48], upper halves with the generated lower
    halves.

    Raises UserError if the faces have soft labels.
    """
    refuse_soft_labels(faces.soft_labels is not None)
    labels = np.array(faces.labels)
    if experiment.labels == "shuffled":
        _shuffle(labels, faces.rows(TRAIN), train.seed, _LABELS)
    noisy = experiment.upper == "noise"
    upper = _noise(len(faces), train.seed) if noisy else crop(faces.images)[0]
    whose = _whose_lower_halves(faces, experiment, train.seed)
    allowed = ~flat if experiment.copies == "kept" else keep
    (folder / "faces").mkdir()
    with FaceSetWriter(folder / "faces", folder / "test_labels.npy") as writer:
        for split, items in enumerate(_splits(faces, allowed, experiment, train.seed)):
            lower = crop(faces.images if _holds_truth(experiment, split) else stitched)[1]
            for part in _blocks(items):
                index, copy = part.T
                images = stitch(upper[index], lower[whose[index]])
                writer.append(
                    FaceBlock(
                        _altered(images, index, copy, train),
                        labels[index],
                        np.full(len(part), split, np.uint8),
                        faces.row[index],
                    )
                )


def _splits(
    faces: FaceSet, allowed: NDArray[np.bool_], experiment: Experiment, seed: int
) -> Sequence[Items]:
    """Return the faces to train on, to choose the epoch on, and to judge by.

    allowed: bool [N], the faces that may train and validate.
    """
    rows = [faces.rows(TRAIN, allowed), faces.rows(VALIDATION, allowed), faces.rows(TEST)]
    splits = [np.stack([index, np.zeros_like(index)], axis=1) for index in rows]
    if experiment.split == "augmented":
        splits = _split_again(splits, seed)
    if experiment.judge == "train":
        splits[TEST] = splits[TRAIN]
    if experiment.choose == "judged":
        splits[VALIDATION] = splits[TEST]
    return splits


def _split_again(splits: Sequence[Items], seed: int) -> list[Items]:
    """Add copies of each face and split them all at random, in the proportions of `splits`."""
    index = np.repeat(np.concatenate(splits)[:, 0], 1 + COPIES)
    copy = np.arange(len(index)) % (1 + COPIES)
    ends = np.cumsum([len(items) for items in splits])
    drawn = np.searchsorted(ends / ends[-1], uniform(seed, _SPLIT, index, copy), side="right")
    items = np.stack([index, copy], axis=1)
    return [items[drawn == split] for split in range(len(splits))]


def _holds_truth(experiment: Experiment, split: int) -> bool:
    """Say whether the faces of a new split get their true lower halves."""
    if split == VALIDATION and experiment.choose == "judged":
        split = TEST  # the epoch is chosen on the very pictures that are judged
    return experiment.lower == "truth" or (experiment.lower == "truth_in_test" and split == TEST)


def _whose_lower_halves(faces: FaceSet, experiment: Experiment, seed: int) -> NDArray[np.int64]:
    """Return for each face whose lower half it gets, int64 [N]."""
    whose = np.arange(len(faces))
    if experiment.lower == "shuffled":
        for official in (TRAIN, VALIDATION, TEST):
            _shuffle(whose, faces.rows(official), seed, _LOWER)
    return whose


def _noise(count: int, seed: int) -> NDArray[np.uint8]:
    """Return upper halves of noise, uint8 [count,24,48]."""
    random = np.random.default_rng([seed, _NOISE])
    noise = np.empty((count, UPPER_ROWS, SIZE), np.uint8)
    for start in range(0, count, _BLOCK):  # in parts, since numbers are drawn as int64
        part = noise[start : start + _BLOCK]
        part[:] = random.integers(0, 256, part.shape)
    return noise


def _shuffle(values: NDArray[Any], rows: NDArray[np.int64], seed: int, draw: int) -> None:
    values[rows] = values[np.random.default_rng([seed, draw]).permutation(rows)]


def _blocks(items: Items) -> Iterator[Items]:
    for start in range(0, len(items), _BLOCK):
        yield items[start : start + _BLOCK]


def _altered(
    images: NDArray[np.uint8], index: NDArray[np.int64], copy: NDArray[np.int64], train: Train
) -> NDArray[np.uint8]:
    settings = train.classifier.model_copy(update=ALTERED)
    for number in np.unique(copy[copy > 0]).tolist():
        chosen = copy == number
        batch = {"face": torch.from_numpy(images[chosen]).unsqueeze(1)}
        altered = augment(batch, index[chosen], train.seed, number, settings)
        images[chosen] = altered["face"].squeeze(1).numpy()
    return images

"""The audit: copies of a face within and across splits, and pictures that show none."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unmask.core.errors import UserError
from unmask.core.faces import SPLITS, TEST, TRAIN, VALIDATION, FaceSet


@dataclass(frozen=True)
class Removal:
    """A face that may not be trained or validated on, and why.

    twin: index of the face of which it is a copy, or -1.
    """

    index: int
    reason: str
    twin: int = -1


@dataclass(frozen=True)
class Audit:
    """What the audit found.

    keep: bool [N], False for faces that may not be trained or validated on.
    removals: one for each False of `keep`, in order.
    figures: the counts of `metrics/audit.json`.
    """

    keep: NDArray[np.bool_]
    removals: list[Removal]
    figures: dict[str, Any]


def audit(faces: FaceSet) -> Audit:
    """Find exact copies and constant images, and decide which faces to keep from training.

    A face whose exact copy stands in a later split (train < validation < test) is removed: the
    test split stays as it is, and no face of it has been seen or chosen by. Constant images are
    removed from training and validation. Copies within one split are counted and stay. Labels
    decide nothing here. Raises UserError where no training or no validation face is left.
    """
    groups = _copies(faces)
    splits = np.asarray(faces.split)
    constant = _constant(faces)
    removals = {int(i): Removal(int(i), "constant image") for i in constant if splits[i] != TEST}
    for group in groups:
        last = int(group[np.argmax(splits[group])])
        for index in map(int, group):
            if splits[index] < splits[last]:
                removals[index] = Removal(index, f"copy in {SPLITS[splits[last]]}", last)
    keep = np.ones(len(faces), dtype=np.bool_)
    keep[list(removals)] = False
    for split in (TRAIN, VALIDATION):
        if not len(faces.rows(split, keep)):
            raise UserError(
                f"no {SPLITS[split]} face is left: all are constant or copies of later splits; "
                "take a source whose splits differ"
            )
    ordered = [removals[index] for index in sorted(removals)]
    return Audit(keep, ordered, _figures(faces, keep, groups, constant))


def _figures(
    faces: FaceSet, keep: NDArray[np.bool_], groups: list[NDArray[np.int64]], constant: NDArray[Any]
) -> dict[str, Any]:
    splits, labels = np.asarray(faces.split), np.asarray(faces.labels)
    across = [group for group in groups if len(set(splits[group])) > 1]
    return {
        "rows": len(faces),
        "kept": int(keep.sum()),
        "exact_duplicate_groups": len(groups),
        "exact_duplicate_images": sum(map(len, groups)),
        "cross_split_groups": len(across),
        "test_twins_in_train": _training_faces(splits, across, TEST),
        "validation_twins_in_train": _training_faces(splits, across, VALIDATION),
        "conflicting_label_groups": sum(len(set(labels[group])) > 1 for group in groups),
        "constant_images": len(constant),
    }


def _training_faces(
    splits: NDArray[np.uint8], groups: list[NDArray[np.int64]], twin_split: int
) -> int:
    """Count the training faces in groups that also have a face in `twin_split`."""
    return sum(int((splits[g] == TRAIN).sum()) for g in groups if twin_split in splits[g])


def _copies(faces: FaceSet) -> list[NDArray[np.int64]]:
    """Return the groups of faces that are equal pixel by pixel, each in order of index."""
    by_digest: dict[bytes, list[int]] = defaultdict(list)
    for index, image in _images(faces):
        by_digest[hashlib.sha256(image.data).digest()].append(index)
    return [np.array(group) for group in by_digest.values() if len(group) > 1]


def _constant(faces: FaceSet) -> NDArray[np.int64]:
    return np.array([index for index, image in _images(faces) if image.min() == image.max()], int)


def _images(faces: FaceSet) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    for index in range(len(faces)):
        yield index, np.ascontiguousarray(faces.images[index])

"""The audit: finding copies of faces within and across splits, and keeping them out of training."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unmask.audit.components import components
from unmask.core.errors import UserError
from unmask.core.faces import CLASSES, SPLITS, TEST, TRAIN, VALIDATION, FaceSet
from unmask.params.data import AuditParams

Groups = list[NDArray[np.int64]]

_SPAN = 5  # grey values that count as one: encoding scatters a plain background by one or two
_BLOCK = 4096  # images at a time


class Pair(NamedTuple):
    """Two faces that show the same picture: their indices and their similarity, up to 1."""

    first: int
    second: int
    similarity: float


@dataclass(frozen=True)
class Removal:
    """A face that may not be trained or validated on, and why.

    duplicate_of: index of the face that it is a copy of, or -1.
    """

    index: int
    reason: str
    duplicate_of: int = -1


@dataclass(frozen=True)
class Audit:
    """What the audit found.

    keep: bool [N], False for faces that may not be trained or validated on.
    flat: bool [N], True for pictures that show no face, copies and test faces among them too.
    groups: int64 [N], the smallest index among a face and its copies, directly or through others,
        near-duplicates included if they were searched for; faces of one group show one picture.
    removals: one for each False of `keep`, in order.
    pairs: near-duplicates, the most similar first.
    figures: the counts of `metrics/audit.json`.
    """

    keep: NDArray[np.bool_]
    flat: NDArray[np.bool_]
    groups: NDArray[np.int64]
    removals: list[Removal]
    pairs: list[Pair]
    figures: dict[str, Any]


def audit(faces: FaceSet, params: AuditParams) -> Audit:
    """Find copies and flat images, and decide which faces to keep from training.

    A face with a copy in a later split (train < validation < test) is removed: the test split stays
    as it is, and none of its faces is trained on or used to choose. Copies of copies count as
    copies. Flat images are removed from training and validation. Copies within one split are
    counted but stay. Labels play no part. Near-duplicates are searched for only if they are to be
    removed. Raises UserError if no training or no validation face is left, or no training face of a
    class that had some.
    """
    splits = np.asarray(faces.split)
    is_flat = flatness(faces.images) >= params.flat
    flat = np.flatnonzero(is_flat)
    exact = exact_copies(faces.images)
    pairs = list[Pair]()
    if params.remove == "near":
        pairs = _near_pairs(faces, exact, flat, params.similarity)
    groups = _joined(exact, pairs, len(faces))

    removals = {int(i): Removal(int(i), "flat image") for i in flat if splits[i] != TEST}
    if params.remove != "none":
        removals |= _copies_of_later_splits(splits, groups, "near-duplicate")
        removals |= _copies_of_later_splits(splits, exact, "copy")
    keep = np.ones(len(faces), dtype=np.bool_)
    keep[list(removals)] = False
    _refuse_missing(faces, keep)
    figures = {
        "rows": len(faces),
        "kept": int(keep.sum()),
        "exact_duplicate_groups": len(exact),
        "exact_duplicate_images": sum(map(len, exact)),
        **_counts(faces, exact),
        "flat_images": len(flat),
        "near_duplicates": _near_figures(faces, groups, pairs) if params.remove == "near" else None,
        "classes": _classes(faces, keep),
    }
    ordered = [removals[index] for index in sorted(removals)]
    return Audit(keep, is_flat, _smallest(groups, len(faces)), ordered, pairs, figures)


def exact_copies(images: NDArray[np.uint8]) -> list[NDArray[np.int64]]:
    """Return the groups of images, uint8 [N,H,W], that are identical pixel by pixel, in order."""
    by_digest: dict[bytes, list[int]] = defaultdict(list)
    for index in range(len(images)):
        pixels = np.ascontiguousarray(images[index])
        by_digest[hashlib.sha256(pixels.data).digest()].append(index)
    return [np.array(group) for group in by_digest.values() if len(group) > 1]


def flatness(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return how much of each image, uint8 [N,H,W], is of nearly one grey, up to 1.

    That is the largest fraction of its pixels that lie within five consecutive grey values.
    """
    parts = [_flatness(images[at : at + _BLOCK]) for at in range(0, len(images), _BLOCK)]
    return np.concatenate(parts) if parts else np.empty(0)


def _near_pairs(
    faces: FaceSet, exact: Groups, flat: NDArray[np.int64], similarity: float
) -> list[Pair]:
    """Return near-duplicates among distinct faces; one face stands for all its exact copies."""
    # Imported here, so that an audit of exact copies does not wait for torch.
    from unmask.audit.near_duplicates import near_duplicates

    stand_in = np.ones(len(faces), dtype=np.bool_)
    stand_in[flat] = False
    for group in exact:
        stand_in[group[1:]] = False
    rows = np.flatnonzero(stand_in)
    found = near_duplicates(np.ascontiguousarray(faces.images[rows]), similarity)
    pairs = [Pair(int(rows[i]), int(rows[j]), score) for i, j, score in found]
    return sorted(pairs, key=lambda pair: -pair.similarity)


def _joined(exact: Groups, pairs: Sequence[Pair], count: int) -> Groups:
    """Return the groups of faces that are copies of each other, directly or through others."""
    edges = [(group[0], other) for group in exact for other in group[1:]]
    edges += [(pair.first, pair.second) for pair in pairs]
    if not edges:
        return []
    component = components(edges, count)
    order = np.argsort(component, kind="stable")
    ends = np.flatnonzero(np.diff(component[order])) + 1
    return [group for group in np.split(order, ends) if len(group) > 1]


def _smallest(groups: Groups, count: int) -> NDArray[np.int64]:
    """Return the smallest index of each face's group, int64 [count]; without copies, its own."""
    smallest = np.arange(count)
    for group in groups:
        smallest[group] = group.min()
    return smallest


def _copies_of_later_splits(
    splits: NDArray[np.uint8], groups: Groups, kind: str
) -> dict[int, Removal]:
    removals = {}
    for group in groups:
        last = int(group[np.argmax(splits[group])])
        for index in map(int, group):
            if splits[index] < splits[last]:
                removals[index] = Removal(index, f"{kind} in {SPLITS[splits[last]]}", last)
    return removals


def _refuse_missing(faces: FaceSet, keep: NDArray[np.bool_]) -> None:
    for split in (TRAIN, VALIDATION):
        if not len(faces.rows(split, keep)):
            raise UserError(
                f"no {SPLITS[split]} face is left: all are flat images or copies of faces in later "
                "splits; use a source whose splits differ"
            )
    before = _classes(faces, np.ones_like(keep))[SPLITS[TRAIN]]
    for name, left in _classes(faces, keep)[SPLITS[TRAIN]].items():
        if before[name] and not left:
            raise UserError(
                f"no training face of the class {name} is left: all {before[name]} are flat images "
                "or copies of faces in later splits; use a source with others, or change "
                "audit.remove or audit.flat"
            )


def _near_figures(faces: FaceSet, groups: Groups, pairs: Sequence[Pair]) -> dict[str, int]:
    """Return the counts of groups joined by near-duplicates, including their exact copies."""
    joined = {pair.first for pair in pairs}
    groups = [group for group in groups if not joined.isdisjoint(group.tolist())]
    return {
        "pairs": len(pairs),
        "groups": len(groups),
        "images": sum(map(len, groups)),
        **_counts(faces, groups),
    }


def _counts(faces: FaceSet, groups: Groups) -> dict[str, int]:
    splits, labels = np.asarray(faces.split), np.asarray(faces.labels)
    across = [group for group in groups if len(set(splits[group])) > 1]
    return {
        "cross_split_groups": len(across),
        "test_duplicates_in_train": _training_faces(splits, across, TEST),
        "validation_duplicates_in_train": _training_faces(splits, across, VALIDATION),
        "conflicting_label_groups": sum(len(set(labels[group])) > 1 for group in groups),
    }


def _training_faces(splits: NDArray[np.uint8], groups: Groups, other_split: int) -> int:
    """Count the training faces in groups that also have a face in `other_split`."""
    return sum(int((splits[g] == TRAIN).sum()) for g in groups if other_split in splits[g])


def _classes(faces: FaceSet, keep: NDArray[np.bool_]) -> dict[str, dict[str, int]]:
    """Count the faces of each class by split, after removals."""
    counts = {}
    for number, split in enumerate(SPLITS):
        labels = faces.labels[faces.rows(number, None if number == TEST else keep)]
        by_class = np.bincount(labels, minlength=len(CLASSES)).tolist()
        counts[split] = dict(zip(CLASSES, by_class, strict=True))
    return counts


def _flatness(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    pixels = images.reshape(len(images), -1)
    of_image = np.arange(len(pixels))[:, None] * 256
    counts = np.bincount((pixels + of_image).ravel(), minlength=len(pixels) * 256)
    below = np.pad(counts.reshape(-1, 256).cumsum(axis=1), ((0, 0), (1, 0)))
    within = below[:, _SPAN:] - below[:, :-_SPAN]
    return np.asarray(within.max(axis=1) / pixels.shape[1])

"""Recall and precision of the search for near-duplicates among the faces of a folder.

    python benchmarks/near_duplicates.py data/faces

Copies of faces are altered in each of the ways of tests/near_copies.py and hidden among all faces.
Recall is how many of them are found with their original; precision is how many of the faces that a
copy is paired with show its picture: its original, or a face that is a near-duplicate of that
without any planted copy's help.
"""

import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from near_copies import KINDS, alter  # noqa: E402
from unmask.audit.audit import (
    exact_copies,
    flatness,
)
from unmask.audit.near_duplicates import near_duplicates  # noqa: E402
from unmask.core.files import open_array  # noqa: E402

COPIES, LIKENESS, FLAT = 400, 0.9, 0.65


def main(folder: str) -> None:
    """Plant, search, print."""
    random = np.random.default_rng(0)
    images = np.array(open_array(Path(folder) / "images.npy"))
    same = [index for group in exact_copies(images) for index in group[1:]]
    images = np.delete(images, [*same, *np.flatnonzero(flatness(images) >= FLAT)], axis=0)
    originals = random.choice(len(images), (len(KINDS), COPIES), replace=False)
    planted = [
        alter(images[index], kind, random)
        for kind, chosen in zip(KINDS, originals, strict=True)
        for index in chosen
    ]

    began = time.perf_counter()
    found = near_duplicates(np.concatenate([images, np.stack(planted)]), LIKENESS)
    seconds = time.perf_counter() - began

    pairs = {(p.first, p.second): p.likeness for p in found}
    group = _groups(len(images), [pair for pair in pairs if pair[1] < len(images)])
    print(f"{len(images):,} faces that differ and {len(planted):,} altered copies: {seconds:.0f} s")
    print("| copies | recall | precision | likeness, 1st percentile |\n| --- | --- | --- | --- |")
    owners = {len(images) + n: int(index) for n, index in enumerate(originals.flatten())}
    for number, kind in enumerate([*KINDS, "total"]):
        start = len(images) + number * COPIES
        of_kind = {c: o for c, o in owners.items() if kind == "total" or 0 <= c - start < COPIES}
        partners = [pair for pair in pairs if pair[1] in of_kind and pair[0] < len(images)]
        hits = [pairs[index, copy] for copy, index in of_kind.items() if (index, copy) in pairs]
        right = sum(group[face] == group[of_kind[copy]] for face, copy in partners)
        print(
            f"| {kind} | {len(hits) / len(of_kind):.2%} | {right / len(partners):.2%} "
            f"| {np.quantile(hits, 0.01):.3f} |"
        )


def _groups(count: int, pairs: list[tuple[int, int]]) -> np.ndarray:
    """Return the number of each face's group, where `pairs` are in one group."""
    group = np.arange(count)
    for first, second in pairs:
        if group[first] != group[second]:
            group[group == group[second]] = group[first]
    return group


if __name__ == "__main__":
    main(sys.argv[1])

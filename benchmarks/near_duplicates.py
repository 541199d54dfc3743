"""Recall and precision of the search for near-duplicates in a folder of faces.

    python benchmarks/near_duplicates.py data/faces

Copies of faces are altered in each of the ways in tests/near_copies.py and hidden among all faces.
Recall is the fraction of copies that are paired with their original. Precision is the fraction of
pairs of a copy and a face in which the face shows the same picture: the original, or a face that is
a near-duplicate of the original without the help of any injected copy.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from near_copies import KINDS, alter  # noqa: E402
from unmask.audit.audit import exact_copies, flatness  # noqa: E402
from unmask.audit.near_duplicates import near_duplicates  # noqa: E402
from unmask.cli.command import one_line  # noqa: E402
from unmask.core.files import open_array  # noqa: E402

COPIES, SIMILARITY, FLAT = 400, 0.9, 0.65


def main(folder: str) -> None:
    """Inject altered copies, search for them, and print a Markdown table."""
    random = np.random.default_rng(0)
    images = np.array(open_array(Path(folder) / "images.npy"))
    same = [index for group in exact_copies(images) for index in group[1:]]
    images = np.delete(images, [*same, *np.flatnonzero(flatness(images) >= FLAT)], axis=0)
    originals = random.choice(len(images), (len(KINDS), COPIES), replace=False)
    injected = [
        alter(images[index], kind, random)
        for kind, chosen in zip(KINDS, originals, strict=True)
        for index in chosen
    ]

    began = time.perf_counter()
    found = near_duplicates(np.concatenate([images, np.stack(injected)]), SIMILARITY)
    seconds = time.perf_counter() - began

    pairs = {(first, second): similarity for first, second, similarity in found}
    group = _groups(len(images), [pair for pair in pairs if pair[1] < len(images)])
    print(f"{len(images):,} different faces and {len(injected):,} altered copies: {seconds:.0f} s")
    print("| copies | recall | precision | similarity, 1st percentile |\n| --- | --- | --- | --- |")
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
    """Return the group of each face, int [count]; the two faces of a pair are in the same group."""
    group = np.arange(count)
    for first, second in pairs:
        if group[first] != group[second]:
            group[group == group[second]] = group[first]
    return group


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="data/faces")
    one_line(main)(parser.parse_args().folder)

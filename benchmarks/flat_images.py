"""What the audit's threshold for flat images finds, judged by the annotators of FER+.

    python benchmarks/flat_images.py data/faces data/raw/fer2013new.csv

The faces must be those of fer2013.csv with FER2013's own labels, all of them and in order. An image
shows no face if more than half of the annotators say so. Most such images show badly cropped
people, about which flatness says nothing, so recall is bound to be low.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from unmask.audit.audit import flatness  # noqa: E402
from unmask.cli.command import one_line  # noqa: E402
from unmask.core.files import open_array  # noqa: E402

THRESHOLDS = (1.0, 0.9, 0.8, 0.7, 0.65, 0.6, 0.55, 0.5)


def main(folder: str, votes: str) -> None:
    """Measure and print."""
    images = open_array(Path(folder) / "images.npy")
    table = pd.read_csv(votes)
    counts = table.select_dtypes("number")
    no_face = (counts["NF"] > counts.sum(axis=1) / 2).to_numpy()
    if len(images) != len(table):
        raise SystemExit(f"{len(images):,} faces but {len(table):,} votes; use matching files")

    shares = flatness(images)

    print(f"{len(images):,} images, of which {no_face.sum()} show no face according to FER+\n")
    print("| flat | images found | no face | precision | recall |\n| --- | --- | --- | --- | --- |")
    for threshold in THRESHOLDS:
        found = shares >= threshold
        right = int((found & no_face).sum())
        print(
            f"| {threshold:.2f} | {np.count_nonzero(found)} | {right} "
            f"| {right / max(found.sum(), 1):.1%} | {right / no_face.sum():.1%} |"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="data/faces")
    parser.add_argument("votes")
    arguments = parser.parse_args()
    one_line(main)(arguments.folder, arguments.votes)

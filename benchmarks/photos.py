"""How often faces are found in photos and masks are seen, and how long that takes.

    python benchmarks/photos.py FOLDER [--threads THREADS]

Each photo shows one person: in `masked_*` with a mask, in any other without. A photo counts as
found if any face is found in it, so look at what `unmask predict --annotate` draws as well. After
that, faces are placed, looked at for a mask, and read by the released reader, on so many threads.
"""

import argparse
import time
from collections.abc import Sequence
from statistics import median

import numpy as np
import torch
from PIL import Image

from unmask.cli.command import one_line
from unmask.core.errors import UserError
from unmask.evaluation.statistics import wilson_interval
from unmask.photos.finder import Face, FaceFinder
from unmask.photos.images import expand, read_photo
from unmask.photos.mask_detector import load_mask_detector
from unmask.photos.placement import place
from unmask.photos.reader import MASKED, load_reader, released, run

_ROUNDS = 5


def main(folder: str, threads: int) -> None:
    """Print two tables and a line."""
    torch.set_num_threads(threads)
    sources, problems = expand([folder])
    if problems:
        raise UserError(problems[0])
    photos = [read_photo(source.path) for source in sources]
    is_masked = np.array([source.name.startswith("masked_") for source in sources])
    finder, seconds, found = FaceFinder(), [], []
    finder(photos[0])  # allocates
    for photo in photos:
        began = time.perf_counter()
        found.append(finder(photo))
        seconds.append(time.perf_counter() - began)
    print("| photos | face found | mask rightly seen or not, of found ones |\n| --- | --- | --- |")
    detector = load_mask_detector()
    for name, kind in (("with a mask", is_masked), ("without", ~is_masked)):
        some = [faces for faces, chosen in zip(found, kind, strict=True) if chosen]
        largest = [max(faces, key=lambda face: face.width).crop for faces in some if faces]
        seen = run(detector, np.stack(largest)).numpy() > 0
        right = int((seen == (name == "with a mask")).sum())
        print(f"| {name} | {_share(len(largest), len(some))} | {_share(right, len(largest))} |")
    low, middle, high = (1000 * value for value in (min(seconds), median(seconds), max(seconds)))
    print(f"\nFinding takes {middle:.0f} ms a photo ({low:.0f} to {high:.0f}); then, ", end="")
    print(f"{_rate(photos, found):.0f} faces a second are read.")


def _share(part: int, whole: int) -> str:
    low, high = wilson_interval(part / whole, whole)
    return f"{part} of {whole}, {part / whole:.1%} [{low:.1%}, {high:.1%}]"


def _rate(photos: Sequence[Image.Image], found: Sequence[Sequence[Face]]) -> float:
    """Return how many faces a second are placed, looked at for a mask, and read."""
    reader, detector, times = load_reader(released(MASKED)), load_mask_detector(), []
    pairs = [(photo, face) for photo, faces in zip(photos, found, strict=True) for face in faces]
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        crops = np.stack([place(photo, face.to_photo) for photo, face in pairs])
        run(detector, crops)
        reader.probabilities(crops)
        times.append(time.perf_counter() - began)
    return len(pairs) / median(times)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    one_line(main)(arguments.folder, arguments.threads)

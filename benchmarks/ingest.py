"""Ingest of fer2013.csv, compared with torchvision and pandas.

    python benchmarks/ingest.py [fer2013.csv] [--rounds 5] [--faces 35887]

Without a file, it writes one with as many faces of random pixels. Each side is its own process:

- unmask: everything that the stage `ingest` does: it checks every row, takes the file's SHA-256,
  and writes the arrays and flushes them to disk;
- torchvision: `torchvision.datasets.FER2013`, both splits. It compares the file's MD5 with that of
  Kaggle's file; a subclass gives it the MD5 of this file, so that it does all its work on any file;
- pandas: `read_csv`, and `numpy.fromstring` for each row, the common way.

Seconds are for reading, without imports; CPU seconds are summed over threads, and depend less on
what else the machine is doing. Memory is that of the whole process.
"""

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from alternate import MIB, ROOT, Child, alternate, ratios, run, spread, table

sys.path.insert(0, str(ROOT / "src"))


def main(source: Path | None, rounds: int, faces: int) -> None:
    """Print a Markdown table."""
    with tempfile.TemporaryDirectory() as name:
        # torchvision looks for a file of this name in this folder.
        file = Path(name) / "fer2013" / "fer2013.csv"
        file.parent.mkdir()
        if source:
            file.symlink_to(source.resolve())
        else:
            from random_faces import write_csv

            write_csv(file, faces)
        with file.open("rb") as stream:  # it is then in the page cache for all sides
            md5 = hashlib.file_digest(stream, "md5").hexdigest()
        size = file.stat().st_size / 1e6
        found = alternate({side: _child(side, file, md5) for side in SIDES}, rounds)
    seconds, busy = (
        {side: [c.figures[name] for c in children] for side, children in found.items()}
        for name in ("seconds", "busy")
    )
    read = int(found["unmask"][0].figures["faces"])
    print(f"{read:,} faces, {size:.0f} MB, {rounds} rounds: median (minimum to maximum)\n")
    rows = [
        (
            side,
            spread(seconds[side], ".2f"),
            spread(ratios(seconds[side], seconds["unmask"])),
            spread(busy[side], ".2f"),
            spread(ratios(busy[side], busy["unmask"])),
            spread([child.peak / MIB for child in children], ".0f"),
        )
        for side, children in found.items()
    ]
    head = (
        "reader", "seconds", "ratio to unmask", "CPU seconds", "ratio to unmask", "peak MiB"
    )  # fmt: skip
    print(table(head, rows))


def _child(side: str, file: Path, md5: str) -> Callable[[int], Child]:
    command = [sys.executable, __file__, file, "--side", side, "--md5", md5]
    return lambda number: run(command)


def measure(side: str, file: Path, md5: str) -> None:
    """Read the file as one of SIDES does and print how long it took."""
    read = SIDES[side](file, md5)
    began, busy = time.perf_counter(), time.process_time()
    faces = read()
    seconds, busy = time.perf_counter() - began, time.process_time() - busy
    print(json.dumps({"seconds": seconds, "busy": busy, "faces": faces}))


def _unmask(file: Path, md5: str) -> Callable[[], int]:
    from unmask.core.files import atomic_folder, atomic_write, write_json
    from unmask.core.process import prepare
    from unmask.params.data import Data
    from unmask.sources.ingest import ingest

    data = Data(source=str(file), labels="fer2013", votes="unused", validation_fraction=0.1, seed=1)

    prepare()  # as every stage does
    # As DVC does before a stage runs.
    shutil.rmtree(file.parent / "faces", ignore_errors=True)

    def read() -> int:
        with (
            atomic_folder(file.parent / "faces") as folder,
            atomic_write(file.parent / "test_labels.npy") as test_labels,
        ):
            meta = ingest(file, data, folder, test_labels)
            write_json(folder / "meta.json", meta)
        return int(meta["rows"])

    return read


def _torchvision(file: Path, md5: str) -> Callable[[], int]:
    from torchvision.datasets import FER2013

    class AnyFER2013(FER2013):
        _RESOURCES = FER2013._RESOURCES | {"fer": (file.name, md5)}

    root = file.parents[1]
    return lambda: sum(len(AnyFER2013(root, split)) for split in ("train", "test"))


def _pandas(file: Path, md5: str) -> Callable[[], int]:
    import numpy as np
    import pandas as pd

    def read() -> int:
        rows = pd.read_csv(file)
        images = np.stack([np.fromstring(row, dtype=np.uint8, sep=" ") for row in rows["pixels"]])
        images = images.reshape(-1, 48, 48)
        labels, usage = rows["emotion"].to_numpy(np.uint8), rows["Usage"].to_numpy()
        assert len(images) == len(labels) == len(usage)  # noqa: S101
        return len(images)

    return read


SIDES = {"unmask": _unmask, "torchvision": _torchvision, "pandas": _pandas}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--faces", type=int, default=35_887)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--md5", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        measure(arguments.side, arguments.file, arguments.md5)
    else:
        main(arguments.file, arguments.rounds, arguments.faces)

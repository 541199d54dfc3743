"""What some of the machinery is worth: glibc's settings, checksums, the fingerprint.

    python benchmarks/machinery.py [--rounds 5] [--train 2000] [--faces 36000]

Compares training on random faces with and without glibc told to keep freed memory (CPU time of the
second epoch, which depends less on what else the machine is doing); and opening an array with its
checksum verified and with NumPy alone, from the page cache. The fingerprint identifies a run by its
arrays and the code.
"""

import argparse
import importlib
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from timeit import timeit

from alternate import ROOT, Child, alternate, ratios, run, spread, table

sys.path.insert(0, str(ROOT / "src"))

import numpy as np

from unmask.core import process, section
from unmask.core.files import open_array, save_array

EPOCHS, SIDE, CNN = 2, 48, "paper_cnn"


def main(rounds: int, train: int, validation: int, faces: int, more_faces: int) -> None:
    """Print a Markdown table."""
    rows = [*_epochs(rounds, train, validation), _open(rounds, faces), _open(rounds, more_faces)]
    rows.append(_fingerprint(rounds, faces))
    print(f"{rounds} rounds: median (minimum to maximum)\n")
    print(table(("milliseconds", "with it", "without it", "without / with"), rows))


def _row(name: str, ours: Sequence[float], others: Sequence[float]) -> tuple[str, ...]:
    cells = (spread(side, ",.0f" if min(side) > 100 else ".2g") for side in (ours, others))
    return name, *cells, spread(ratios(others, ours), ".2g")


def _timed(work: Callable[[], object]) -> Callable[[int], float]:
    return lambda _: 1000 * timeit(work, number=1)


def _child(*words: str) -> Callable[[int], Child]:
    return lambda number: run([sys.executable, __file__, *words])


def _epochs(rounds: int, train: int, validation: int) -> list[tuple[str, ...]]:
    from reconstructors import write_faces, write_job

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        write_faces(Path(folder), train, validation)
        write_job(Path(folder), section.load(ROOT / "params.yaml"), EPOCHS)
        cnn, unet = f"training_side unmask {folder} 1 0", f"reconstructor_side unmask unet {folder}"
        for name, words in ((CNN, cnn.split()), ("unet", unet.split())):
            found = alternate({side: _child(side, *words) for side in ("keep", "default")}, rounds)
            times = ([1000 * train / child.figures["busy"] for child in s] for s in found.values())
            rows.append(_row(f"glibc keeps memory: epoch of `{name}`, CPU time", *times))
    return rows


def _open(rounds: int, count: int) -> tuple[str, ...]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "images.npy"
        save_array(file, _images(count))
        sides = {"checked": lambda: open_array(file), "NumPy": lambda: np.load(file, mmap_mode="r")}
        found = alternate({side: _timed(work) for side, work in sides.items()}, rounds)
    return _row(f"checksum: open {count:,} faces", *found.values())


def _fingerprint(rounds: int, count: int) -> tuple[str, ...]:
    import unmask.training.run  # noqa: F401, its modules are part of the fingerprint
    from unmask.training.checkpoint import fingerprint

    arrays = {"face": _images(count), "label": np.zeros(count, np.uint8)}
    name = f"fingerprint of {count:,} faces and the code"
    times = alternate({name: _timed(lambda: fingerprint(arrays, [], {}))}, rounds)[name]
    return name, spread(times, ",.0f"), "", ""


def _images(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE), dtype=np.uint8)


if __name__ == "__main__":
    if sys.argv[1:2] in (["keep"], ["default"]):
        if sys.argv[1] == "default":
            process._keep_memory = lambda: None
        process.prepare()
        importlib.import_module(sys.argv[2]).main(*sys.argv[3:])
    else:
        parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
        sizes = {"rounds": 5, "train": 2000, "validation": 200, "faces": 36_000}
        for name, default in {**sizes, "more-faces": 200_000}.items():
            parser.add_argument(f"--{name}", type=int, default=default)
        main(**vars(parser.parse_args()))

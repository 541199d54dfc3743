"""Posterior averages of several readers over 1, 4, 16 ... halves drawn by one reconstructor.

python benchmarks/posterior_averages.py CLONE RECONSTRUCTOR BASELINE READER... [--samples 1 4 16]

CLONE holds data/faces, data/halves, data/audit and data/test_labels.npy; RECONSTRUCTOR and READERs
are model folders, readers of whole faces; BASELINE is a folder with validation.csv and test.csv,
the predictions to compare with. Does what `posterior_averages` in params.yaml does, but draws each
half once for all readers and sample sizes, and none for training faces: at 15 ms a half, that makes
it affordable without a GPU. Writes CLONE/data/posterior_averages/READER_SAMPLES (validation.csv,
test.csv) and prints a table; draws no half again that the same RECONSTRUCTOR has drawn already.
"""

import argparse
import hashlib
import sys
from pathlib import Path

import numpy as np
import torch
from alternate import ROOT, table
from numpy.typing import NDArray

sys.path.insert(0, str(ROOT / "src"))

from unmask.comparison.paired import gain, summary
from unmask.core.checksum import of_file
from unmask.core.faces import TEST, VALIDATION, FaceSet
from unmask.core.files import atomic_folder, open_array, save_array, write_json
from unmask.core.mask import stitch
from unmask.core.progress import track
from unmask.evaluation.predictions import (
    Table,
    predictions,
    read_predictions,
    write_predictions,
)
from unmask.evaluation.quality import image_quality
from unmask.evaluation.statistics import holm
from unmask.models.batches import to_pixels, to_unit
from unmask.models.device import choose_device
from unmask.models.folder import load_model
from unmask.models.inference import probabilities

Pixels = NDArray[np.uint8]

_SPLITS = {"validation": VALIDATION, "test": TEST}
_BATCH = 120
_HEAD = ("validation", "test [95 %]", "gain, points [95 %]", "p (Holm)", "within")


@torch.inference_mode()
def main(words: list[str] | None = None) -> None:
    """Draw, read, compare, print."""
    options = _parser().parse_args(words)
    faces = FaceSet.open(options.clone / "data/faces").unsealed(
        options.clone / "data/test_labels.npy"
    )
    keep = open_array(options.clone / "data/audit/keep.npy")
    rows = {name: faces.rows(n, None if n == TEST else keep) for name, n in _SPLITS.items()}
    readers = {folder: load_model(folder) for folder in options.readers}
    upper = open_array(options.clone / "data/halves/upper.npy")
    work = options.clone / "data/posterior_averages"
    halves = work / _identity(options.reconstructor)
    tables = dict[str, dict[str, Table]]()
    for split, chosen in rows.items():
        these = hashlib.sha256(upper[chosen].tobytes()).hexdigest()[:8]
        mine = halves / f"{split}_{these}"
        drawn = _draw(options.reconstructor, upper[chosen], max(options.samples), mine)
        first, everything = stitch(upper[chosen], drawn[0]), np.arange(len(chosen))
        found = image_quality(faces.images[chosen], first, everything)["gradient_energy"]
        print(f"{split}: gradient energy of the halves drawn {found:.0%} of the true ones'")
        for folder, reader in readers.items():
            means = _read(reader, upper[chosen], drawn, options.samples)
            for samples, mean in means.items():
                name = f"{_name(folder)}_{samples}"
                found = predictions(faces.row[chosen], faces.labels[chosen], mean)
                tables.setdefault(name, {})[split] = found
    for name, found in tables.items():
        with atomic_folder(work / name) as place:
            for split, table in found.items():
                write_predictions(place / f"{split}.csv", table)
    figures = _figures(tables, options.baseline)
    write_json(work / "results.json", figures)
    _print(figures)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name in ("clone", "reconstructor", "baseline"):
        parser.add_argument(name, type=Path)
    parser.add_argument("readers", type=Path, nargs="+")
    parser.add_argument("--samples", type=int, nargs="+", default=[1, 4, 16])
    return parser


def _identity(folder: Path) -> str:
    """Return what tells a model's weights and settings from all others', as a folder's name."""
    files = ("config.json", "weights.safetensors")
    return "_".join(of_file(folder / name)[:8] for name in files)


def _name(folder: Path) -> str:
    return "_".join(folder.parts[-2:])


def _draw(folder: Path, upper: Pixels, samples: int, work: Path) -> Pixels:
    """Return lower halves, uint8 [samples,N,24,48]; each batch of faces is kept as a file."""
    model, device = load_model(folder).to(choose_device()), choose_device()
    work.mkdir(parents=True, exist_ok=True)
    parts = []
    starts = range(0, len(upper), _BATCH)
    for start in track(starts, len(starts), f"{samples} halves of each face"):
        file = work / f"{start}.npy"
        kept = open_array(file) if file.exists() else []
        if len(kept) < samples:
            views = to_unit(torch.from_numpy(upper[start : start + _BATCH, None]).to(device))
            more = (to_pixels(model.sample(views, n)) for n in range(len(kept), samples))
            save_array(file, np.stack([*kept, *more]))
        parts.append(open_array(file)[:samples])
    return np.concatenate(parts, axis=1)


def _read(
    reader: torch.nn.Module, upper: Pixels, drawn: Pixels, wanted: list[int]
) -> dict[int, NDArray[np.float32]]:
    """Return mean probabilities [N,7] by number of samples."""
    total, means = np.zeros((), np.float32), {}
    for number, lower in enumerate(drawn, 1):
        total = total + probabilities(reader, stitch(upper, lower), np.arange(len(upper)))
        if number in wanted:
            means[number] = total / number
    return means


def _figures(tables: dict[str, dict[str, Table]], baseline: Path) -> dict[str, dict]:
    before = read_predictions(baseline / "test.csv")
    figures = {
        name: {
            **{split: summary([table]) for split, table in found.items()},
            "gain": gain([before], [found["test"]], paired=True),
        }
        for name, found in tables.items()
    }
    for row, p in zip(
        figures.values(), holm([f["gain"]["p"] for f in figures.values()]), strict=True
    ):
        row["gain"]["holm_p"] = p
    return figures


def _print(figures: dict[str, dict]) -> None:
    print()
    print(
        table(["reader, samples", *_HEAD], [[name, *_cells(row)] for name, row in figures.items()])
    )


def _cells(row: dict) -> list[str]:
    test, gained = row["test"], row["gain"]
    low, high = (100 * end for end in test["ci95"])
    least, most = (100 * end for end in gained["ci95"])
    return [
        f"{row['validation']['accuracy']:.1%}",
        f"{test['accuracy']:.1%} [{low:.1f}, {high:.1f}]",
        f"{100 * gained['accuracy']:+.1f} [{least:+.1f}, {most:+.1f}]",
        f"{gained['holm_p']:.2g}",
        f"{100 * gained['equivalent_within']:.1f}",
    ]


if __name__ == "__main__":
    main()

"""Where the edge of the mask meets faces, and what it is worth to move them first.

    python benchmarks/placement.py positions FACES [--faces 2000] [--sheet PATH] [--json PATH]
    python benchmarks/placement.py readers ROWS LANDMARKS EYES [--json PATH]
    python benchmarks/placement.py released ROWS LANDMARKS EYES [--json PATH]
    python benchmarks/placement.py judged ROWS EYES PREDICTIONS... [--json PATH]

`positions` takes validation and test faces of the face set in the folder FACES, as `ingest` leaves
it, finds their landmarks, moves them by either placement and finds the landmarks again. `--sheet`
draws some of them as they came and after either placement, with the edge, for the eye; of real
people, it belongs outside of the repository.

`readers` compares `baseline` and `ceiling` of three clones in which
`dvc repro evaluate_baseline evaluate_ceiling` has run on the same faces, each with another
`placement`. `released` compares what the released reader says of their upper halves. `judged`
compares whatever was judged in two clones: PREDICTIONS are folders below `data`, such as
`predictions/unet` or `readers/predictions/distilled/1`.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from alternate import ROOT, table
from numpy.typing import NDArray
from PIL import Image

sys.path.insert(0, str(ROOT / "src"))

from unmask.comparison.paired import gain
from unmask.comparison.paired import summary as accuracy
from unmask.core.faces import TEST, TRAIN, FaceSet
from unmask.core.files import open_array
from unmask.core.mask import UPPER_ROWS
from unmask.evaluation.predictions import Table, predictions, read_predictions
from unmask.evaluation.statistics import holm, wilson_interval
from unmask.models.folder import load_model
from unmask.models.inference import probabilities
from unmask.photos.alignment import FaceMesh, Found, align, position, summary

Pixels = NDArray[np.uint8]

PLACEMENTS = ("landmarks", "eyes")
COMPARED = (("rows", "landmarks"), ("rows", "eyes"), ("eyes", "landmarks"))
SHOWN, ENLARGED = 24, 3


def positions(folder: Path, count: int, sheet: Path | None) -> dict[str, Any]:
    """Print the table of the mask's edge before and after each placement; return its figures."""
    faces = FaceSet.open(folder)
    rows = np.random.default_rng(1).permutation(np.flatnonzero(faces.split != TRAIN))[:count]
    images, find = np.array(faces.images[np.sort(rows)]), FaceMesh()
    began = time.perf_counter()
    found = [find(image) for image in images]
    seconds = (time.perf_counter() - began) / len(images)
    seen = [(image, one) for image, one in zip(images, found, strict=True) if one.landmarks]
    moved = {
        name: np.stack([align(image, one, name).face for image, one in seen]) for name in PLACEMENTS
    }
    again = {name: [find(image) for image in made] for name, made in moved.items()}
    before = np.stack([image for image, _ in seen])
    figures = {
        "looked_at": len(images),
        "face": sum(one.face for one in found),
        "moved": len(seen),
        "milliseconds": 1000 * seconds,
        "rows": {**_summary([one for _, one in seen]), "gradient": _gradient(before)},
        **{
            name: {**_summary(again[name]), "gradient": _gradient(moved[name])}
            for name in PLACEMENTS
        },
    }
    _print(figures)
    if sheet:
        _draw(sheet, [before, *moved.values()])
    return figures


def _summary(found: list[Found]) -> dict[str, Any]:
    return summary([position(one.landmarks) for one in found if one.landmarks])


def _gradient(images: Pixels) -> float:
    """Return the mean difference of neighbouring pixels: moving a face blurs it a little."""
    return float(np.abs(np.diff(images.astype(np.float64), axis=2)).mean())


def _print(figures: dict[str, Any]) -> None:
    whole = figures["looked_at"]
    for key, said in (("face", "a face is detected"), ("moved", "the mesh is found as well")):
        print(f"{said} in {_share(figures[key] / whole, whole)} of {whole} pictures")
    print(f"{figures['milliseconds']:.0f} ms a face on one thread\n")
    columns = [figures[name] for name in ("rows", *PLACEMENTS)]
    lines: list[list[object]] = [
        ["faces found", *(column["faces"] for column in columns)],
        ["row of the middle of the nose, mean (standard deviation)", *(
            f"{c['nose_row_mean']:.1f} ({c['nose_row_standard_deviation']:.1f})" for c in columns
        )],
        ["tilt of the eyes, standard deviation in degrees", *(
            f"{c['eyes_tilt_standard_deviation']:.1f}" for c in columns
        )],
    ]  # fmt: skip
    for key, said in (
        ("eyes_tilted_over_10_degrees", "eyes tilted by more than 10 degrees"),
        ("eyes_whole_and_mouth_hidden", "eyes whole and mouth hidden"),
        ("an_eye_cut", "an eye cut"),
        ("mouth_not_hidden", "upper lip above the edge"),
    ):
        lines.append([said, *(_share(c[key], c["faces"]) for c in columns)])
    lines.append(["difference of neighbouring pixels", *(f"{c['gradient']:.1f}" for c in columns)])
    print(table(("", "rows", *PLACEMENTS), lines))


def _share(share: float, faces: int) -> str:
    low, high = wilson_interval(share, faces)
    return f"{share:.1%} [{low:.1%}, {high:.1%}]"


def _draw(path: Path, versions: list[Pixels]) -> None:
    if path.resolve().is_relative_to(ROOT):
        sys.exit(f"error: {path}: within the repository; give a path outside of it")
    strips = []
    for images in versions:
        lined = np.array(images[:SHOWN])
        lined[:, UPPER_ROWS, ::3] = 255
        strips.append(np.concatenate(list(lined), axis=1))
    picture = Image.fromarray(np.concatenate(strips))
    picture.resize((ENLARGED * picture.width, ENLARGED * picture.height)).save(path)


def readers(folders: list[Path]) -> dict[str, Any]:
    """Print how much more of the faces is read right after each placement; return the figures."""
    every = dict(zip(("rows", *PLACEMENTS), folders, strict=True))
    return _reported(_tables(every, ["predictions/baseline", "predictions/ceiling"]))


def judged(folders: list[Path], found: list[str]) -> dict[str, Any]:
    """Print the same for the models whose predictions are in these folders below `data`."""
    return _reported(_tables(dict(zip(("rows", "eyes"), folders, strict=True)), found))


def _tables(folders: dict[str, Path], found: list[str]) -> dict[str, dict[str, Table]]:
    return {
        f"{name.partition('predictions/')[2]}, {split}": {
            placement: read_predictions(folder / "data" / name / f"{split}.csv")
            for placement, folder in folders.items()
        }
        for split in ("validation", "test")
        for name in found
    }


def released(folders: list[Path]) -> dict[str, Any]:
    """Print the same for the released reader, which has learned from faces as they came."""
    model, tables = load_model(ROOT / "release/reader"), dict[str, Table]()
    for placement, folder in zip(("rows", *PLACEMENTS), folders, strict=True):
        faces = FaceSet.open(folder / "data/faces").unsealed(folder / "data/test_labels.npy")
        rows = faces.rows(TEST)
        read_as = probabilities(model, open_array(folder / "data/halves/upper.npy"), rows)
        tables[placement] = predictions(faces.row[rows], faces.labels[rows], read_as)
    return _reported({"released reader, test": tables})


def _reported(tables: dict[str, dict[str, Table]]) -> dict[str, Any]:
    """Print a line for each model, which has a table for each placement; return the figures."""
    figures = {key: _compared(some) for key, some in tables.items()}
    gains = [gained for one in figures.values() for gained in one["gains"].values()]
    for gained, corrected in zip(gains, holm([gained["p"] for gained in gains]), strict=True):
        gained["holm_p"] = corrected
    lines = [
        [
            key, *(_accuracy(found) for found in one["readers"].values()),
            *(_gain(gained) for gained in one["gains"].values()),
        ]
        for key, one in figures.items()
    ]  # fmt: skip
    first = next(iter(figures.values()))
    print(table(("", *first["readers"], *first["gains"]), lines))
    return figures


def _compared(tables: dict[str, Table]) -> dict[str, Any]:
    pairs = [pair for pair in COMPARED if set(pair) <= set(tables)]
    return {
        "readers": {name: accuracy([one]) for name, one in tables.items()},
        "gains": {
            f"{second} over {first}": gain([tables[first]], [tables[second]], paired=True)
            for first, second in pairs
        },
    }


def _accuracy(found: dict[str, Any]) -> str:
    low, high = found["ci95"]
    return f"{found['accuracy']:.1%} [{low:.1%}, {high:.1%}]"


def _gain(found: dict[str, Any]) -> str:
    low, high = (100 * end for end in found["ci95"])
    points = 100 * found["accuracy"]
    return f"{points:+.1f} [{low:+.1f}, {high:+.1f}], p = {found['holm_p']:.2g}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    where = commands.add_parser("positions")
    where.add_argument("folder", type=Path)
    where.add_argument("--faces", type=int, default=2000)
    where.add_argument("--sheet", type=Path)
    worth = [commands.add_parser(name) for name in ("readers", "released")]
    for command in worth:
        command.add_argument("folders", type=Path, nargs=3)
    both = commands.add_parser("judged")
    both.add_argument("folders", type=Path, nargs=2)
    both.add_argument("found", nargs="+")
    for command in (where, *worth, both):
        command.add_argument("--json", type=Path)
    given = parser.parse_args()
    if given.command == "positions":
        result = positions(given.folder, given.faces, given.sheet)
    elif given.command == "judged":
        result = judged(given.folders, given.found)
    else:
        result = (readers if given.command == "readers" else released)(given.folders)
    if given.json:
        given.json.write_text(json.dumps(result, indent=2) + "\n")

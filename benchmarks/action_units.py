"""How far the action units of drawn lower halves are from those of the synthetic faces behind them.

    python benchmarks/action_units.py CLONE [--json PATH]

CLONE: of this repository, in which `dvc repro` has run on the embedded sample. Its generator is
known: face by face, the units that moved are drawn again from the seed.

A ridge regression learns to read the ten lower units from the pixels of true lower halves, of
training faces; its penalty is chosen on validation. It then reads the test faces' lower halves as
each reconstructor drew them. As it is linear, it reads a blurred mean of several halves as the mean
of what it reads in each, which is between yes and no: absolute distances punish that, squared ones
do not. A unit counts as seen from 0.5.

Three rows bound the others: what is read in true halves; how often each unit moves in training
faces, whatever the face; and how likely it is to move given the face's true upper units. No
reconstructor can be expected to agree better than the last, or to come closer in squares.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from alternate import ROOT, table
from numpy.typing import NDArray

sys.path.insert(0, str(ROOT / "src"))

from unmask.core.faces import SPLITS, TEST, TRAIN, VALIDATION, FaceSet
from unmask.core.files import open_array
from unmask.core.mask import UPPER_ROWS
from unmask.core.section import load, read
from unmask.params.data import Sample
from unmask.sample.action_units import LOWER_UNITS, PRIORS, PROBABILITIES, UPPER_UNITS
from unmask.sample.synthetic import draw_face, draw_units

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]
Moves = NDArray[np.bool_]

PENALTIES = 10.0 ** np.arange(-1, 5)
TRUE, FREQUENT, CHANCES = "true halves", "how frequent it is", "what the upper units tell"
HEAD = (
    "lower half", "from the true half", "from the true units", "squared", "agree", "gain, points"
)  # fmt: skip
_UPPER = len(UPPER_UNITS)
_DRAWN_AGAIN = 5  # faces of each split, to see that they are of this seed


class Ridge:
    """Ridge regression of units on pixels; pixels are uint8 [n,24,48], units bool [n,10]."""

    def __init__(self, halves: Pixels, units: Moves, penalty: float) -> None:
        pixels, targets = _flat(halves), units.astype(np.float64)
        self._mean, self._units = pixels.mean(axis=0), targets.mean(axis=0)
        centred = pixels - self._mean
        kernel = centred @ centred.T + penalty * np.eye(len(centred))
        self._weights = centred.T @ np.linalg.solve(kernel, targets - self._units)

    def __call__(self, halves: Pixels) -> Floats:
        """Return how far each unit seems to have moved, float [n,10] within [0,1]."""
        return np.clip((_flat(halves) - self._mean) @ self._weights + self._units, 0, 1)


def _flat(halves: Pixels) -> Floats:
    return halves.reshape(len(halves), -1) / 255


def units_of(faces: FaceSet, sample: Sample) -> Moves:
    """Return the units that moved in each face, bool [N,15]; exit if the faces are others."""
    moves = np.zeros((len(faces), _UPPER + len(LOWER_UNITS)), bool)
    for split in range(len(SPLITS)):
        for index, row in enumerate(faces.rows(split)):
            random = np.random.default_rng([sample.seed, split, index])
            moves[row] = draw_units(int(faces.labels[row]), random)
            if index < _DRAWN_AGAIN and (draw_face(moves[row], random) != faces.images[row]).any():
                sys.exit(
                    "error: these are no faces of `sample` in params.yaml as they were drawn; "
                    "run `dvc repro` with the sample as source and `placement: rows`"
                )
    return moves


def chances(upper: Moves) -> Floats:
    """Return how likely each lower unit is to move given the upper ones, [n,10] for bool [n,5]."""
    given = PROBABILITIES[:, :_UPPER]
    emotions = PRIORS * np.where(upper[:, None], given, 1 - given).prod(axis=2)
    moving = emotions @ PROBABILITIES[:, _UPPER:] / emotions.sum(axis=1, keepdims=True)
    return np.asarray(moving)


def measure(clone: Path) -> dict[str, Any]:
    """Return the figures of each reconstructor and of what bounds them."""
    faces = FaceSet.open(clone / "data/faces").unsealed(clone / "data/test_labels.npy")
    moves = units_of(faces, read(Sample, "sample", clone / "params.yaml"))
    units, lower = moves[:, _UPPER:], np.array(faces.images[:, UPPER_ROWS:])
    train, validation, test = (faces.rows(split) for split in (TRAIN, VALIDATION, TEST))
    candidates = [Ridge(lower[train], units[train], penalty) for penalty in PENALTIES]
    right = [
        float(((one(lower[validation]) > 0.5) == units[validation]).mean()) for one in candidates
    ]
    best = int(np.argmax(right))
    reader, share = candidates[best], units[train].mean(axis=0)
    true, constant = reader(lower[test]), np.tile(share, (len(test), 1))
    stitched = {
        name: open_array(clone / f"data/stitched/{name}/faces.npy")
        for name in load(clone / "params.yaml")["reconstructors"]
    }
    readings = {
        name: reader(np.array(images[test, UPPER_ROWS:])) for name, images in stitched.items()
    }
    bounds = {TRUE: true, CHANCES: chances(moves[test, :_UPPER]), FREQUENT: constant}
    return {
        "faces": len(test),
        "reader": {
            "penalty": float(PENALTIES[best]),
            "agreement on validation": right[best],
            "of the more frequent": float(((share > 0.5) == units[validation]).mean()),
        },
        "halves": {
            name: _compared(found, true, units[test], constant)
            for name, found in {**bounds, **readings}.items()
        },
    }


def _compared(found: Floats, true: Floats, units: Moves, constant: Floats) -> dict[str, Any]:
    """Compare readings of the test faces with those of their true halves and with their units."""
    agrees = (found > 0.5) == units
    ahead = agrees.mean(axis=1) - ((constant > 0.5) == units).mean(axis=1)  # by face
    margin = 1.96 * ahead.std(ddof=1) / np.sqrt(len(ahead))
    return {
        "distance from what is read in the true half": float(np.abs(found - true).mean()),
        "distance from the true units": float(np.abs(found - units).mean()),
        "squared distance from the true units": float(np.square(found - units).mean()),
        "agreement": float(agrees.mean()),
        "ahead of the more frequent": float(ahead.mean()),
        "ci95": [float(ahead.mean() - margin), float(ahead.mean() + margin)],
        "agreement by unit": dict(zip(LOWER_UNITS, agrees.mean(axis=0).tolist(), strict=True)),
    }


def report(figures: dict[str, Any]) -> None:
    """Print the figures as a table."""
    reader = figures["reader"]
    print(
        f"On true halves of validation faces, {reader['agreement on validation']:.1%} of the units "
        f"are read right (the more frequent answer: {reader['of the more frequent']:.1%}; penalty "
        f"{reader['penalty']:g}). {figures['faces']} test faces:\n"
    )
    rows = []
    for name, found in figures["halves"].items():
        low, high = (100 * end for end in found["ci95"])
        rows.append([
            name,
            f"{found['distance from what is read in the true half']:.3f}",
            f"{found['distance from the true units']:.3f}",
            f"{found['squared distance from the true units']:.3f}",
            f"{found['agreement']:.1%}",
            f"{100 * found['ahead of the more frequent']:+.1f} [{low:+.1f}, {high:+.1f}]",
            *(f"{share:.0%}" for share in found["agreement by unit"].values()),
        ])  # fmt: skip
    print(table((*HEAD, *LOWER_UNITS), rows))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clone", type=Path)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    figures = measure(given.clone)
    report(figures)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2) + "\n")

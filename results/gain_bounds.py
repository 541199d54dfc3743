"""Say below which bound each gain of a reconstruction lies, from committed predictions.

    python results/gain_bounds.py results/fer2013/cleaned/predictions

The folder holds the test predictions of `baseline`, of `ceiling` and of the final classifier of
each reconstructor, as `collect.py` leaves them.
"""

import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from unmask.evaluation.statistics import gain_bound, gain_interval  # noqa: E402


def main(folder: Path) -> None:
    """Print a line for each reconstructor, the largest bound first."""
    tables = {path.name.partition(".")[0]: pd.read_csv(path) for path in folder.iterdir()}
    baseline = tables.pop("baseline")
    tables.pop("ceiling")
    bounds = {name: 100 * gain_bound(baseline, table) for name, table in tables.items()}
    for name, bound in sorted(bounds.items(), key=lambda pair: -pair[1]):
        low, high = (100 * end for end in gain_interval(baseline, tables[name]))
        print(f"{name}: below {bound:+.2f} points (95 % interval [{low:+.1f}, {high:+.1f}])")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

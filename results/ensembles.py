"""Accuracy of the ensembles in results/fer2013/readers, from what their members predicted.

python results/ensembles.py
"""

from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).parent / "fer2013/readers/predictions"
MEMBERS = {
    "hard_ensemble": ["hard_1", "hard_2", "hard_3"],
    "students": ["cross_fitted_1", "cross_fitted_2", "cross_fitted_3"],
}
MEMBERS["both"] = [*MEMBERS["students"], "vgg_1", "vgg_2", "vgg_3"]


def main() -> None:
    """Print a line for each ensemble."""
    for name, members in MEMBERS.items():
        for split in ("validation", "test"):
            tables = [pd.read_csv(FOLDER / f"{member}_{split}.csv.xz") for member in members]
            mean = sum(table.filter(like="p_").to_numpy() for table in tables)
            right = (mean.argmax(axis=1) == tables[0]["label"]).mean()
            print(f"{name}, {split}: {right:.4f}")


if __name__ == "__main__":
    main()

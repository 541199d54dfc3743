"""Find copies of faces across the splits and pictures that show none, and keep them from training.

Reads data/faces; writes data/audit (keep.npy, and removed.csv with a line for each removed face)
and metrics/audit.json.
"""

import csv
from pathlib import Path

import _source  # noqa: F401

from unmask.audit import audit
from unmask.core import stage
from unmask.core.faces import SPLITS, FaceSet
from unmask.core.files import save_array, whole_folder, write_json


def main() -> None:
    """Run the stage."""
    faces = FaceSet.open("data/faces")

    found = audit(faces)

    with whole_folder(Path("data/audit")) as folder:
        save_array(folder / "keep.npy", found.keep)
        with (folder / "removed.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["row", "split", "reason", "twin_row"])
            for removal in found.removals:
                split = SPLITS[faces.split[removal.index]]
                twin = faces.row[removal.twin] if removal.twin >= 0 else ""
                table.writerow([faces.row[removal.index], split, removal.reason, twin])
    write_json("metrics/audit.json", found.figures)


if __name__ == "__main__":
    stage.run(main)

"""Find duplicates across the splits and pictures without a face, and keep them from training.

Reads data/ingested and data/test_labels.npy; writes metrics/audit.json and, in data/audit,
keep.npy; flat.npy, which pictures show no face; groups.npy, which faces are copies of each other;
removed.csv, a line for each removed face; manifest.csv, the checksum of every face; if it looks for
near-duplicates, near.csv; and, if it finds some, a sheet of the least similar ones, near.png.
"""

from pathlib import Path

import _source  # noqa: F401

from unmask.audit.audit import audit
from unmask.audit.tables import write_manifest, write_pairs, write_removals
from unmask.core import stage
from unmask.core.faces import FaceSet
from unmask.core.files import atomic_folder, save_array, write_json
from unmask.core.section import read
from unmask.core.stage import TEST_LABELS
from unmask.params.data import AuditParams
from unmask.pictures import save_pairs


def main() -> None:
    """Run the stage."""
    params = read(AuditParams, "audit")
    faces = FaceSet.open("data/ingested").unsealed(TEST_LABELS)

    found = audit(faces, params)

    with atomic_folder(Path("data/audit")) as folder:
        save_array(folder / "keep.npy", found.keep)
        save_array(folder / "flat.npy", found.flat)
        save_array(folder / "groups.npy", found.groups)
        write_removals(folder / "removed.csv", faces, found.removals)
        write_manifest(folder / "manifest.csv", faces, found.keep)
        if params.remove == "near":
            write_pairs(folder / "near.csv", faces, found.pairs)
        if found.pairs:
            save_pairs(folder / "near.png", faces.images, found.pairs)
    write_json("metrics/audit.json", found.figures)


if __name__ == "__main__":
    stage.run(main, reads_test_labels=True)

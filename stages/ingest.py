"""Read the faces of `data.source` into data/ingested, and the test labels into a file of their own.

The source is a CSV file of FER2013 as Kaggle offers it, plain, compressed or in an archive, or a
folder that holds one or that holds images by split and class. It is read as it is: a faulty row
ends the stage with an error that names it, and nothing is left behind.
"""

from pathlib import Path

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.files import atomic_folder, atomic_write, write_json
from unmask.core.section import read
from unmask.core.stage import TEST_LABELS
from unmask.params.data import Data
from unmask.sources.ingest import ingest


def main() -> None:
    """Write `images.npy`, `labels.npy`, `split.npy`, `row.npy`, `meta.json`; `test_labels.npy`."""
    data = read(Data, "data")
    with atomic_folder("data/ingested") as folder, atomic_write(TEST_LABELS) as test_labels:
        meta = ingest(Path(data.source), data, folder, test_labels)
        write_json(folder / "meta.json", meta)


if __name__ == "__main__":
    stage.run(main)

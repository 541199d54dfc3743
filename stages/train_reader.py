"""Train one of `readers` in params.yaml, from each of its seeds.

Reads data/faces, or stitched faces, data/audit/keep.npy, and what its teacher left in
models/teachers; writes models/readers/R/SEED and curves, data/training/readers/R/SEED.
"""

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.section import read
from unmask.models.readers import source_of_faces
from unmask.params.models import Train
from unmask.params.readers import ReaderEntry
from unmask.training.finished import Finished
from unmask.training.teaching import open_lesson, train_reader


def main(name: str) -> None:
    """Run the stage for the reader `name`."""
    entry, train = read(ReaderEntry, f"readers.{name}"), read(Train, "train")
    lesson = open_lesson(entry)

    for number, seed in enumerate(entry.all_seeds()):
        group = train_reader(
            f"readers/{name}/{seed}", name, entry, lesson.taught(entry, number),
            train.model_copy(update={"seed": seed}), source_of_faces(),
        )  # fmt: skip
    Finished.forget(f"readers/{name}", group)


if __name__ == "__main__":
    stage.run(main)

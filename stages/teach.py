"""Make one of `readers` in params.yaml a teacher.

Reads models/readers/R, data/faces or stitched faces, and data/audit; writes models/teachers/R: a
copy of its models, which fold each face is in and, if its entry has folds, one more model for each,
which has not seen it, with their curves. Writes readers/teachers/R.json as well: how right these
models are about faces that they have not seen.
"""

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.files import write_json
from unmask.core.section import read
from unmask.models.readers import source_of_faces
from unmask.params.models import Train
from unmask.params.readers import ReaderEntry
from unmask.training.cross_fitting import teach
from unmask.training.teaching import open_lesson


def main(name: str) -> None:
    """Run the stage for the reader `name`."""
    entry, train = read(ReaderEntry, f"readers.{name}"), read(Train, "train")

    figures = teach(name, entry, open_lesson(entry), train, source_of_faces())
    if figures is not None:
        write_json(f"readers/teachers/{name}.json", figures)


if __name__ == "__main__":
    stage.run(main)

"""Draw the synthetic faces that are the default input.

Writes data/raw/sample.csv (Kaggle layout), data/raw/sample_votes.csv (what ten annotators see in
them, in the layout of FER+), data/raw/sample.png (some of the faces, to look at) and
metrics/sample.json: the best accuracy and log loss that anyone can reach on them, and how many
there are.
"""

import _source  # noqa: F401

from unmask.core import section, stage
from unmask.core.faces import CLASSES
from unmask.core.files import atomic_write, write_json
from unmask.params.data import Sample
from unmask.sample.action_units import attainable_accuracy, attainable_log_loss
from unmask.sample.synthetic import contact_sheet, draw_splits, write_csv, write_votes


def main() -> None:
    """Run the stage."""
    sample = section.read(Sample, "sample")

    counts = {"train": sample.train, "validation": sample.validation, "test": sample.test}
    splits = draw_splits(counts, sample.seed)

    with atomic_write("data/raw/sample.csv") as temporary:
        write_csv(temporary, splits)
    with atomic_write("data/raw/sample_votes.csv") as temporary:
        write_votes(temporary, splits)
    with atomic_write("data/raw/sample.png") as temporary:
        contact_sheet(splits["train"]).save(temporary, format="PNG")

    labels = [label for split in splits.values() for label in split.labels.tolist()]
    write_json(
        "metrics/sample.json",
        {
            "attainable_accuracy": attainable_accuracy(),
            "attainable_log_loss": attainable_log_loss(),
            "faces": {name: len(split.labels) for name, split in splits.items()},
            "classes": {name: labels.count(label) for label, name in enumerate(CLASSES)},
        },
    )


if __name__ == "__main__":
    stage.run(main)

"""`data` and `sample`: where the faces come from."""

from typing import Literal

from pydantic import Field

from unmask.core.params.section import Section


class Data(Section):
    """The source of faces.

    source: path of the CSV file, archive or folder, relative to the repository or absolute.
    labels: `fer2013`, those of the source; `ferplus`, what most of ten annotators say; or
        `ferplus_shares`, the same, with classifiers trained on the shares of the votes.
    votes: path of the annotators' votes, `fer2013new.csv`.
    validation_fraction: share of the training faces that becomes the validation split where the
        source has none (`train.csv` with `test.csv`, most image folders).
    seed: of that draw; each face is drawn from (seed, its row) alone.
    """

    source: str = Field(min_length=1)
    labels: Literal["fer2013", "ferplus", "ferplus_shares"]
    votes: str = Field(min_length=1)
    validation_fraction: float = Field(gt=0, lt=1)
    seed: int = Field(ge=0, lt=2**63)


class Sample(Section):
    """How many synthetic faces to draw, and from which seed.

    train, validation, test: faces in each split.
    """

    train: int = Field(ge=7)
    validation: int = Field(ge=7)
    test: int = Field(ge=7)
    seed: int = Field(ge=0, lt=2**63)

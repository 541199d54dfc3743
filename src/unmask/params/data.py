"""`data`, `sample`, `audit`, `placement`: the source of faces, which are used, where they lie."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from unmask.core.section import Section, Seed, check, load

SAMPLE, SAMPLE_VOTES = "data/raw/sample.csv", "data/raw/sample_votes.csv"
"""What the stage `make_sample` draws."""


def is_drawn(path: str) -> bool:
    """Return whether a path is that of a file of the sample, however it is written."""
    return Path(path).resolve() in {Path(SAMPLE).resolve(), Path(SAMPLE_VOTES).resolve()}


Placement = Literal["rows", "landmarks", "eyes"]
"""What puts the mask's edge on a face.

`rows` cuts all faces at the same row, as they come (paper, section 3.1). `landmarks` moves each
face first, eyes level and the middle of the nose on that row (the paper's first proposed
improvement); `eyes` does so by the eyes alone, which is what a mask leaves of them.
"""


class Data(Section):
    """The source of faces.

    source: path of the CSV file, archive or folder, relative to the repository or absolute.
    labels: `fer2013`, those of the source; `ferplus`, what most of ten annotators say;
        `ferplus_soft`, the same, with classifiers trained on the distribution of the votes (soft
        labels); or `fer2013_soft`, those of the source, with classifiers trained on the mean of
        them and that distribution.
    votes: path of the annotators' votes, `fer2013new.csv`.
    validation_fraction: fraction of the training faces that becomes the validation split if the
        source has none (`train.csv` with `test.csv`, most image folders).
    seed: for that draw; each face is drawn from (seed, its row) alone.
    """

    source: str = Field(min_length=1)
    labels: Literal["fer2013", "fer2013_soft", "ferplus", "ferplus_soft"]
    votes: str = Field(min_length=1)
    validation_fraction: float = Field(gt=0, lt=1)
    seed: Seed


class Sample(Section):
    """How many synthetic faces to draw, and from which seed.

    train, validation, test: faces in each split.
    """

    train: int = Field(ge=7, le=1_000_000)
    validation: int = Field(ge=7, le=1_000_000)
    test: int = Field(ge=7, le=1_000_000)
    seed: Seed


class AuditParams(Section):
    """What counts as a copy or shows no face, and which copies are removed.

    remove: `near` removes from training and validation the exact copies and the near-duplicates of
        faces of a later split; `exact` only the exact copies; `none` leaves all copies in.
    similarity: minimum similarity of near-duplicates, almost 1 for the same drawing; see
        `audit.near_duplicates.similarity`.
    flat: minimum fraction of nearly one grey in a picture that shows no face, up to 1 for a blank
        one; see `audit.audit.flatness`. Such pictures never train or validate.
    """

    remove: Literal["near", "exact", "none"]
    similarity: float = Field(gt=0.5, lt=1)
    flat: float = Field(gt=0.5, le=1)


class _Placement(Section):
    placement: Placement


def read_placement() -> Placement:
    """Return the key `placement`, checked."""
    given = {key: value for key, value in load().items() if key == "placement"}
    return check(_Placement, given).placement

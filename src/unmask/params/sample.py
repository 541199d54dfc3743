"""`sample`: the embedded synthetic faces."""

from pydantic import Field

from unmask.params.section import Section


class Sample(Section):
    """How many synthetic faces to draw, and from which seed.

    train, validation, test: faces in each split.
    """

    train: int = Field(ge=7)
    validation: int = Field(ge=7)
    test: int = Field(ge=7)
    seed: int = Field(ge=0, lt=2**63)

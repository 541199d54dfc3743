"""`release`: the reader that `release/dvc.yaml` makes ready for others."""

from typing import Annotated, Literal

from pydantic import Field

from unmask.core.section import Section


class Release(Section):
    """reader: an entry of `readers` or `ensembles`. seed: which of its models, `all` of an ensemble."""

    reader: str
    seed: Annotated[int, Field(ge=0)] | Literal["all"]

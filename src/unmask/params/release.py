"""`release`: the reader that `release/dvc.yaml` makes ready for others."""

from typing import Annotated, Any

from pydantic import PlainValidator

from unmask.core.section import Section

ALL = "all"
"""The one model of an ensemble."""


def _is_a_model(seed: Any) -> int | str:
    if seed == ALL:
        return ALL
    if type(seed) is int and seed >= 0:
        return seed
    raise ValueError(f"{seed!r}: no model of a reader; give one of its seeds, or {ALL}")


class Release(Section):
    """reader: an entry of `readers` or `ensembles`. seed: which of its models; `all` if it is an
    ensemble.
    """

    reader: str
    seed: Annotated[int | str, PlainValidator(_is_a_model)]

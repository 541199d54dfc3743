"""`evaluate`: what the pipeline of seeds is run with."""

from typing import Annotated

from pydantic import Field, field_validator

from unmask.core.params.section import Section

Seed = Annotated[int, Field(ge=0, lt=2**63)]


class Evaluate(Section):
    """seeds: of initial weights, order, augmentation and dropout of classifiers, two or more."""

    seeds: list[Seed] = Field(min_length=2)

    @field_validator("seeds")
    @classmethod
    def _differ(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) < len(seeds):
            raise ValueError(f"{seeds}: a seed stands there twice; take seeds that differ")
        return seeds

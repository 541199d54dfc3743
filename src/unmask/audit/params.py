"""`audit`: which pictures may not be trained or validated on."""

from typing import Literal

from pydantic import Field

from unmask.core.params.section import Section


class AuditParams(Section):
    """What counts as a copy or shows no face, and which copies are removed.

    remove: `near` removes from training and validation the exact copies and the near-duplicates of
        faces of a later split; `exact` only the exact copies; `none` leaves every face in.
    likeness: from which two faces count as near-duplicates, up to 1 for the same drawing; see
        `audit.registration.likeness`.
    flat: from which share of one grey value a picture shows no face, up to 1 for a blank one; see
        `audit.flat.flatness`. Such pictures are always removed from training and validation.
    """

    remove: Literal["near", "exact", "none"]
    likeness: float = Field(gt=0.5, le=1)
    flat: float = Field(gt=0.5, le=1)

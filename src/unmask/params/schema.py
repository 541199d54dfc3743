"""The whole of `params.yaml`."""

from pydantic import field_validator

from unmask.errors import UserError
from unmask.params.data import Data
from unmask.params.models import Named, Recon, Reconstructor
from unmask.params.sample import Sample
from unmask.params.section import FILE, Section, read
from unmask.params.training import Train
from unmask.registry import exists

RESERVED = ("baseline", "ceiling")
"""Names that stand beside the reconstructors' in `metrics/classification`."""


class Params(Section):
    """Every section of the file."""

    data: Data
    sample: Sample
    train: Train
    classifier: Named
    recon: Recon
    reconstructors: dict[str, Reconstructor]

    @field_validator("reconstructors")
    @classmethod
    def _have_files(cls, entries: dict[str, Reconstructor]) -> dict[str, Reconstructor]:
        for name in entries:
            if name in RESERVED or not exists("reconstructors", name):
                file = f"src/unmask/reconstructors/{name}.py"
                raise ValueError(f"{name}: no file {file}; write it or mend the name")
        return entries


def read_all() -> Params:
    """Return the whole file, checked.

    What one model or objective alone understands is checked by the stage that builds it.
    """
    params = read(Params)
    if params.recon.model not in params.reconstructors:
        allowed = ", ".join(params.reconstructors)
        raise UserError(
            f"{FILE}: recon.model: {params.recon.model} has no entry under reconstructors; "
            f"choose one of {allowed}"
        )
    return params

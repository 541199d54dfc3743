"""The whole of `params.yaml`."""

from pathlib import Path

from pydantic import field_validator

from unmask.audit.params import AuditParams
from unmask.core.errors import UserError
from unmask.core.params.models import Named, Recon, Reconstructor
from unmask.core.params.registry import exists
from unmask.core.params.section import FILE, Section, read
from unmask.core.params.training import Train
from unmask.laboratory.params import HONEST, Experiment
from unmask.seeds.params import Evaluate
from unmask.sources.params import Data, Sample

RESERVED = ("baseline", "ceiling")
"""Names that stand beside the reconstructors' in `metrics/classification`."""

SAMPLE = ("data/raw/sample.csv", "data/raw/sample_votes.csv")
"""What `make_sample` makes, and so what need not be there at first."""


class Params(Section):
    """Every section of the file."""

    data: Data
    sample: Sample
    audit: AuditParams
    train: Train
    classifier: Named
    recon: Recon
    evaluate: Evaluate
    reconstructors: dict[str, Reconstructor]
    laboratory: dict[str, Experiment]

    @field_validator("reconstructors")
    @classmethod
    def _have_files(cls, entries: dict[str, Reconstructor]) -> dict[str, Reconstructor]:
        for name, entry in entries.items():
            if name in RESERVED:
                raise ValueError(f"{name} names a classifier already; take another name")
            _need("reconstructors", name)
            _need("training.objectives", entry.objective.name)
        return entries

    @field_validator("laboratory")
    @classmethod
    def _has_an_honest_one(cls, entries: dict[str, Experiment]) -> dict[str, Experiment]:
        if HONEST not in entries:
            raise ValueError(f"no entry {HONEST}, which the others are compared with; restore it")
        return entries

    @field_validator("classifier")
    @classmethod
    def _has_a_file(cls, classifier: Named) -> Named:
        _need("classifiers", classifier.name)
        return classifier


def _need(family: str, name: str) -> None:
    if not exists(family, name):
        file = f"src/unmask/{family.replace('.', '/')}/{name}.py"
        raise ValueError(f"{name}: no file {file}; write it or mend the name")


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
    source, votes = params.data.source, params.data.votes
    if votes not in SAMPLE and not Path(votes).exists():
        raise UserError(
            f"{FILE}: data.votes: no file {votes}; mend the path, or get fer2013new.csv of FER+"
        )
    if source not in SAMPLE and not Path(source).exists():
        raise UserError(
            f"{FILE}: data.source: no file or folder {source}; mend the path, or get FER2013 with "
            "`unmask-fetch`"
        )
    return params

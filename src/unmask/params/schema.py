"""The whole of `params.yaml`."""

import re
from pathlib import Path
from shlex import quote

from pydantic import field_validator

from unmask.core.errors import UserError
from unmask.core.section import FILE, Section, read
from unmask.models.registry import exists
from unmask.params.data import AuditParams, Data, Placement, Sample, is_drawn
from unmask.params.laboratory import HONEST, Experiment
from unmask.params.models import (
    FEWEST,
    NOBODY,
    Entry,
    Evaluate,
    Recon,
    Reconstructor,
    Train,
    Training,
    read_classifier,
)
from unmask.params.reader_checks import (
    FOLDER_NAME,
    check_readers,
    check_teacher,
    knows_groups_alone,
)
from unmask.params.readers import (
    Ensemble,
    PosteriorAverage,
    ReaderEntry,
    Readers,
    Unsure,
)
from unmask.params.release import Release
from unmask.sources.text import shown

RESERVED = ("baseline", "ceiling")
"""Names of other files in `metrics/classification`, beside the reconstructors'."""

OF_READERS = {"ensemble": "ensembles", "posterior_average": "posterior_averages"}
"""Files of `classifiers/` that no stage trains, and the section whose entries they are for."""


_EXPERIMENTS = "exps"
"""Folder of `.dvc/tmp` in which queued experiments, and those with `--temp`, are run."""


class Params(Section):
    """Every section of the file."""

    data: Data
    sample: Sample
    audit: AuditParams
    placement: Placement
    train: Train
    classifiers: dict[str, Entry]
    classifier: str
    recon: Recon
    evaluate: Evaluate
    reconstructors: dict[str, Reconstructor]
    laboratory: dict[str, Experiment]
    readers: dict[str, ReaderEntry]
    ensembles: dict[str, Ensemble]
    posterior_averages: dict[str, PosteriorAverage]
    unsure: Unsure
    release: Release

    @field_validator("reconstructors")
    @classmethod
    def _have_files(cls, entries: dict[str, Reconstructor]) -> dict[str, Reconstructor]:
        for name, entry in entries.items():
            if name in RESERVED:
                raise ValueError(f"{name} names a classifier already; take another name")
            _need("reconstructors", name)
            _need("objectives", entry.objective.name)
        return entries

    @field_validator("laboratory")
    @classmethod
    def _has_an_honest_one(cls, entries: dict[str, Experiment]) -> dict[str, Experiment]:
        if HONEST not in entries:
            raise ValueError(f"no entry {HONEST}, which the others are compared with; restore it")
        for name in entries:
            if not re.fullmatch(FOLDER_NAME, name):
                raise ValueError(f"{name}: no name for a folder; use small letters, digits and _")
        # Training it otherwise is no leak.
        if leaks := [key for key in entries[HONEST].injected if key != "train"]:
            raise ValueError(
                f"{HONEST}: injects {' and '.join(leaks)}, but the others are compared with it; "
                "set it to {reconstructor: train}"
            )
        return entries

    @field_validator("readers")
    @classmethod
    def _are_made_of_files(cls, entries: dict[str, ReaderEntry]) -> dict[str, ReaderEntry]:
        for entry in entries.values():
            _need_network(entry.classifier.name)
        return entries

    @field_validator("classifiers")
    @classmethod
    def _are_there(cls, entries: dict[str, Entry]) -> dict[str, Entry]:
        for name, entry in entries.items():
            _need_network(name)
            if "name" in entry.settings:
                raise ValueError(f"{name}.name: its key is its name; remove this key")
        return entries


def _need_network(name: str) -> None:
    """Refuse a classifier that cannot be trained itself."""
    _need("classifiers", name)
    if name in OF_READERS:
        raise ValueError(f"{name}: made of trained readers; make it an entry of {OF_READERS[name]}")


def _need(family: str, name: str) -> None:
    if not exists(family, name):
        file = f"src/unmask/{family}/{name}.py"
        raise ValueError(f"{name}: no file {file}; write it or correct the name")


def read_all() -> Params:
    """Return the whole file, checked.

    Settings that only one model or objective understands are checked by `params.parts`, and again
    by the stage that builds it.
    """
    params = read(Params)
    read_classifier()
    if params.recon.model not in params.reconstructors:
        allowed = ", ".join(params.reconstructors)
        raise UserError(
            f"{FILE}: recon.model: {params.recon.model} has no entry under reconstructors; "
            f"choose one of {allowed}"
        )
    readers = Readers(params.readers, params.ensembles, params.posterior_averages)
    check_readers(readers, params.reconstructors)
    check_teacher(params.recon.teacher, params.readers)
    able = [name for name, entry in params.readers.items() if not knows_groups_alone(entry)]
    released = [*able, *params.ensembles]
    if params.release.reader not in released:
        raise UserError(
            f"{FILE}: release.reader: no reader {params.release.reader} of all classes; "
            f"choose one of {', '.join(released)}"
        )
    models = readers.models()[params.release.reader]
    if str(params.release.seed) not in models:
        raise UserError(
            f"{FILE}: release.seed: no model {params.release.seed} of {params.release.reader}; "
            f"choose one of {', '.join(models)}"
        )
    _check_overrides(params)
    _refuse_absent("data.votes", params.data.votes, "get fer2013new.csv from FER+")
    _refuse_absent("data.source", params.data.source, "get FER2013 with `unmask fetch`")
    return params


def _check_overrides(params: Params) -> None:
    """Raise UserError for settings of training that an entry may not override like this."""
    classifier, reconstructor = params.train.classifier, params.train.reconstructor
    _refuse_small_batches(classifier, params.train, "train.classifier")
    for name, model in params.reconstructors.items():
        key = f"reconstructors.{name}"
        learned = reconstructor.overridden(model.train, key)
        _refuse_small_batches(learned, params.train, f"{key}.train")
        given = model.objective.settings
        if params.recon.teacher == NOBODY and (given.get("expression") or given.get("posterior")):
            raise UserError(
                f"{FILE}: recon.teacher: none, but reconstructors.{name}.objective has "
                "`expression` or `posterior`; name a reader of faces that has folds"
            )
    for name, reader in params.readers.items():
        key = f"readers.{name}"
        settings = classifier.overridden(reader.train, key)
        _refuse_small_batches(settings, params.train, f"{key}.train")
        if settings.mixup and reader.objective.settings.get("cross_fitted"):
            raise UserError(
                f"{FILE}: {key}.objective.cross_fitted: true, but mixup would mix a face with one "
                f"that its teacher has seen; set {key}.train.mixup to 0"
            )
    for name, experiment in params.laboratory.items():
        settings = classifier.overridden(experiment.train, f"laboratory.{name}")
        _refuse_small_batches(settings, params.train, f"laboratory.{name}.train")


def _refuse_small_batches(settings: Training, train: Train, key: str) -> None:
    """Raise UserError if a process would learn from batches of a single face."""
    processes = train.devices * train.nodes
    if settings.batch_size < FEWEST * processes:
        raise UserError(
            f"{FILE}: {key}.batch_size: {settings.batch_size}, but each of {processes} processes "
            f"needs {FEWEST} faces of a batch; set it to {FEWEST * processes} or more"
        )


def _refuse_absent(key: str, path: str, remedy: str) -> None:
    if not (is_drawn(path) or Path(path).exists()):  # the sample is not made yet, at first
        raise absent(key, path, remedy)


def absent(key: str, path: str, remedy: str) -> UserError:
    """Return what is said of a path under `key` that is not there; remedy: beside fixing it."""
    name = shown(path)
    if _EXPERIMENTS in Path.cwd().parts and not Path(path).is_absolute():
        return UserError(
            f"{FILE}: {key}: no file or folder {name} in this copy of the repository, where an "
            f"experiment sees only what Git or DVC tracks; give its absolute path, or run `dvc add "
            f"{quote(path)}` and commit the pointer"
        )
    return UserError(f"{FILE}: {key}: no file or folder {name}; fix the path, or {remedy}")

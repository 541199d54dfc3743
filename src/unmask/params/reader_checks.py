"""Whether the entries of `readers`, `ensembles` and `posterior_averages` fit each other."""

import re
from collections.abc import Collection, Mapping
from typing import NoReturn

from unmask.core.errors import UserError
from unmask.core.section import FILE
from unmask.params.models import DISTILLATION, NOBODY
from unmask.params.readers import (
    FACES,
    HALVES,
    STITCHED,
    Ensemble,
    PosteriorAverage,
    ReaderEntry,
    Readers,
)

FOLDER_NAME = r"[a-z][a-z0-9_]*"
"""What entries are named whose names become those of folders."""

Entries = Mapping[str, ReaderEntry | Ensemble]


def check_readers(all_of_them: Readers, reconstructors: Collection[str]) -> None:
    """Raise UserError, one line that names the key, unless the entries fit each other."""
    readers, ensembles, averages = all_of_them
    entries: Entries = {**readers, **ensembles}
    sections = [*(("readers", n) for n in readers), *(("ensembles", n) for n in ensembles)]
    sections += [("posterior_averages", n) for n in averages]
    taken = dict[str, str]()
    for section, name in sections:
        if name in taken:
            _refuse(section, f"{name} is a reader already; take another name")
        taken[name] = section
        if name == NOBODY or not re.fullmatch(FOLDER_NAME, name):
            _refuse(section, f"{name}: no name for a folder; use small letters, digits and _")
    for name, entry in entries.items():
        section = f"{taken[name]}.{name}"
        model = entry.sees.partition(STITCHED)[2]
        if model and model not in reconstructors:
            _refuse_reconstructor(f"{section}.sees", model, reconstructors)
        _check_needed(section, name, entries)
    for name, entry in readers.items():
        if entry.objective.teacher == NOBODY:
            _check_alone(f"readers.{name}", entry)
        else:
            _check_taught(f"readers.{name}", entry, entries[entry.objective.teacher])
    for name, ensemble in ensembles.items():
        for member in ensemble.members:
            _check_member(f"ensembles.{name}.members", member, entries[member], ensemble.sees)
    for name, average in averages.items():
        _check_average(f"posterior_averages.{name}", average, readers, reconstructors)


def check_teacher(name: str, readers: Mapping[str, ReaderEntry]) -> None:
    """Raise UserError, one line, unless reconstructors can learn from `name`, or it is nobody."""
    able = [
        reader for reader, entry in readers.items()
        if entry.sees == FACES and entry.folds and not knows_groups_alone(entry)
    ]  # fmt: skip
    if name not in [NOBODY, *able]:
        fault = f"{name}: no reader of all classes that sees {FACES} and has folds"
        _refuse("recon.teacher", f"{fault}; choose one of {', '.join([NOBODY, *able])}")


def knows_groups_alone(entry: ReaderEntry | Ensemble | PosteriorAverage) -> bool:
    """Return whether a reader has learned no classes, only groups of them."""
    return isinstance(entry, ReaderEntry) and bool(entry.objective.settings.get("groups"))


def _check_average(
    key: str,
    average: PosteriorAverage,
    readers: Mapping[str, ReaderEntry],
    reconstructors: Collection[str],
) -> None:
    if average.reconstructor not in reconstructors:
        _refuse_reconstructor(f"{key}.reconstructor", average.reconstructor, reconstructors)
    able = [
        name for name, entry in readers.items()
        if entry.sees == FACES and not knows_groups_alone(entry)
    ]  # fmt: skip
    if average.reader not in able:
        fault = f"{average.reader}: no reader of {FACES} and all classes"
        _refuse(f"{key}.reader", f"{fault}; choose one of {', '.join(able) or 'none; add one'}")


def _check_needed(key: str, name: str, entries: Entries) -> None:
    """Refuse what is not there and what needs `name` itself."""
    key = f"{key}.{'members' if isinstance(entries[name], Ensemble) else 'objective.teacher'}"
    for needed in _needs(entries[name]):
        if needed not in entries:
            _refuse(key, f"no reader {needed}; choose one of {', '.join(entries)}")
        if name in _all_needed(needed, entries):
            _refuse(key, f"{needed} itself needs {name}; break the circle")


def _check_alone(key: str, entry: ReaderEntry) -> None:
    if entry.objective.name == DISTILLATION or entry.start == "teacher":
        _refuse(f"{key}.objective.teacher", f"{NOBODY}, but one is needed; name a reader")


def _check_member(key: str, name: str, entry: ReaderEntry | Ensemble, sees: str) -> None:
    if entry.sees != sees:
        _refuse(key, f"{name} sees {entry.sees}, not {sees}; average readers with one view")
    if knows_groups_alone(entry):
        _refuse(key, f"{name} knows groups of classes alone; average readers of all classes")


def _check_taught(key: str, entry: ReaderEntry, teacher: ReaderEntry | Ensemble) -> None:
    objective, starts = entry.objective, entry.start == "teacher"
    learns, name = objective.name == DISTILLATION, entry.objective.teacher
    if not learns and not starts:
        fault = f"{name}, but {objective.name} learns from labels alone"
        _refuse(f"{key}.objective.teacher", f"{fault}; set it to {NOBODY}, or start: teacher")
    if starts and (not isinstance(teacher, ReaderEntry) or teacher.classifier != entry.classifier):
        _refuse(f"{key}.start", f"teacher, but {name} is another classifier; set it to noise")
    if learns and teacher.sees != entry.sees and {teacher.sees, entry.sees} != {HALVES, FACES}:
        fault = f"{name} sees {teacher.sees}, which does not move with {entry.sees}"
        _refuse(f"{key}.objective.teacher", f"{fault}; teach {HALVES} by {HALVES} or {FACES}")
    if learns and knows_groups_alone(teacher):
        fault = f"{name} knows groups of classes alone"
        _refuse(f"{key}.objective.teacher", f"{fault}; learn by cross_entropy and start: teacher")
    if objective.settings.get("cross_fitted") and not getattr(teacher, "folds", None):
        alone = isinstance(teacher, ReaderEntry)
        remedy = f"set readers.{name}.folds" if alone else "learn from a reader that has some"
        _refuse(f"{key}.objective.cross_fitted", f"true, but {name} has no folds; {remedy}")
    if starts and entry.folds:
        # The teacher has learned from the faces of every fold.
        _refuse(f"{key}.folds", f"{entry.folds}, but no fold is new to what it starts from; "
                "remove folds, or start: noise")  # fmt: skip


def _refuse_reconstructor(key: str, name: str, reconstructors: Collection[str]) -> NoReturn:
    _refuse(key, f"no reconstructor {name}; choose one of {', '.join(reconstructors)}")


def _refuse(key: str, fault: str) -> NoReturn:
    raise UserError(f"{FILE}: {key}: {fault}")


def _needs(entry: ReaderEntry | Ensemble) -> list[str]:
    if isinstance(entry, Ensemble):
        return entry.members
    return [entry.objective.teacher] if entry.objective.teacher != NOBODY else []


def _all_needed(name: str, entries: Entries) -> set[str]:
    """Return `name` and all that it needs, directly or through others."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one in entries and one not in found:
            found.add(one)
            waiting += _needs(entries[one])
    return found

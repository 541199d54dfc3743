"""Mistakes in `readers` and `ensembles`: one line that names the key and what to do."""

import copy
from pathlib import Path

import pytest
import yaml

from nested import set_key
from unmask.core.errors import UserError
from unmask.core.section import check
from unmask.models.registry import load
from unmask.params.reader_checks import check_readers
from unmask.params.readers import (
    Ensemble,
    PosteriorAverage,
    ReaderEntry,
    Readers,
    view_of,
)
from unmask.params.schema import Params

ROOT = Path(__file__).resolve().parents[2]
RESNET = {"name": "resnet", "width": 8, "blocks": 1, "dropout": 0.0}
READERS = {
    "whole": {
        "sees": "faces", "classifier": RESNET, "folds": 3,
        "objective": {"name": "cross_entropy", "teacher": "none"},
    },
    "hard": {
        "sees": "halves", "classifier": RESNET,
        "objective": {"name": "cross_entropy", "teacher": "none"},
    },
    "taught": {
        "sees": "halves", "classifier": RESNET, "start": "teacher",
        "objective": {"name": "distillation", "teacher": "whole", "cross_fitted": True},
    },
}  # fmt: skip
ENSEMBLES = {
    "both": {"sees": "halves", "members": ["hard", "taught"]},
    "more": {"sees": "halves", "members": ["both", "taught"]},
}
AVERAGES = {"drawn": {"reconstructor": "unet", "reader": "whole", "samples": 1}}
SECTIONS = {"readers": ReaderEntry, "ensembles": Ensemble, "posterior_averages": PosteriorAverage}


def checked(key=None, value=None):
    """Check the entries above with one key changed; `...` removes it."""
    values = copy.deepcopy(dict(zip(SECTIONS, (READERS, ENSEMBLES, AVERAGES), strict=True)))
    if key:
        set_key(values, key, value)
    entries = Readers(*(
        {name: check(kind, entry, f"{section}.{name}") for name, entry in values[section].items()}
        for section, kind in SECTIONS.items()
    ))  # fmt: skip
    check_readers(entries, ["unet", "mirror"])
    return entries.readers


def test_views():
    assert {name: entry.view for name, entry in checked().items()} == {
        "whole": "whole", "hard": "upper", "taught": "upper",
    }  # fmt: skip
    assert view_of("stitched/unet") == "stitched unet"


DRAWN = "posterior_averages.drawn"
TEACHER, MEMBERS = "readers.taught.objective.teacher", "ensembles.both.members"


@pytest.mark.parametrize(
    ("key", "value", "where", "words"),
    [
        ("readers.hard.sees", "upper", "", "upper: no images; choose halves, faces"),
        ("readers.hard.sees", "stitched/umet", "", "no reconstructor umet; choose one of unet, mi"),
        ("readers.hard.objective.teacher", ..., "", "missing"),
        ("readers.hard.objective.teacher", "whole", "", "whole, but cross_entropy learns from lab"),
        ("readers.hard.start", "teacher", "readers.hard.objective.teacher", "none, but one is nee"),
        ("readers.hard.seeds", [1, 1], "", "[1, 1]: a seed is repeated"),
        ("readers.hard.width", 3, "", "unknown key"),
        ("readers.whole.folds", 1, "", "input should be greater than or equal to 2"),
        (
            "readers.whole.folds",
            ...,
            "readers.taught.objective.cross_fitted",
            "true, but whole has",
        ),
        (TEACHER, "who", "", "no reader who; choose one of whole, hard"),
        (TEACHER, "none", "", "none, but one is needed"),
        (TEACHER, "taught", "", "taught itself needs taught; break the circle"),
        (TEACHER, "more", "", "more itself needs taught; break the circle"),
        (
            "readers.taught.classifier",
            {"name": "resnet"},
            "readers.taught.start",
            "teacher, but wh",
        ),
        ("readers.taught.sees", "stitched/unet", TEACHER, "whole sees faces, which does not move"),
        (
            "readers.whole.objective.groups",
            [["angry", "disgust"]],
            TEACHER,
            "whole knows groups of classes alone; learn by cross_entropy and start: teacher",
        ),
        ("readers.taught.folds", 2, "", "2, but no fold is new to what it starts from"),
        (
            "readers.hard.objective.groups",
            [["angry", "disgust"]],
            MEMBERS,
            "hard knows groups of classes alone; average readers of all classes",
        ),
        ("readers.None", READERS["hard"], "readers", "None: no name for a folder"),
        ("readers.none", READERS["hard"], "readers", "none: no name for a folder"),
        ("ensembles.hard", ENSEMBLES["both"], "ensembles", "hard is a reader already"),
        (MEMBERS, ["hard"], "", "list should have at least 2 items"),
        (MEMBERS, ["hard", "who"], "", "no reader who; choose one of whole, hard"),
        (MEMBERS, ["hard", "more"], "", "more itself needs both; break the circle"),
        (MEMBERS, ["hard", "whole"], "", "whole sees faces, not halves"),
        ("ensembles.both.sees", "faces", MEMBERS, "hard sees halves, not faces"),
        (f"{DRAWN}.samples", 0, "", "input should be greater than or equal to 1"),
        (f"{DRAWN}.reconstructor", "umet", "", "no reconstructor umet; choose one of unet, mirror"),
        (
            f"{DRAWN}.reader",
            "hard",
            "",
            "hard: no reader of faces and all classes; ch",
        ),
        ("posterior_averages.both", AVERAGES["drawn"], "posterior_averages", "both is a reader al"),
    ],
)
def test_a_mistake_is_named(key, value, where, words):
    with pytest.raises(UserError) as error:
        checked(key, value)
    assert str(error.value).startswith(f"params.yaml: {where or key}: {words}")
    assert "\n" not in str(error.value)


def test_the_readers_of_the_documentation_fit_each_other():
    pages = "".join((ROOT / page).read_text() for page in ("README.md", "CONTRIBUTING.md"))
    blocks = pages.split("```yaml\n")[1:]
    parts = [yaml.safe_load(block.partition("```")[0]) for block in blocks if "sees:" in block]
    shown = {name: each for part in parts for name, each in part.get("readers", part).items()}
    assert set(shown) == {"whole", "privileged", "grouped", "two_phases"}
    entries = {name: check(ReaderEntry, each, f"readers.{name}") for name, each in shown.items()}
    check_readers(Readers(entries, {}, {}), [])
    for name, entry in entries.items():
        module = load("objectives", entry.objective.name)
        added = {"view": entry.view, "teachers": ["folder"], "counts": []}
        known = {key: added[key] for key in added.keys() & module.Params.model_fields}
        check(module.Params, {**entry.objective.settings, **known}, f"readers.{name}.objective")


def test_a_file_that_is_not_there_is_named():
    other = {**READERS["hard"], "classifier": {"name": "foo"}}
    shipped = yaml.safe_load((ROOT / "params.yaml").read_text())
    with pytest.raises(UserError, match=r"^params.yaml: readers: foo: no file src/unmask/classifi"):
        check(Params, {**shipped, "readers": {"hard": other}})

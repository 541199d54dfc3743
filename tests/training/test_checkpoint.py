"""The fingerprint of a run: what makes its checkpoint another run's, and what does not."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from runs import PowerCut, interrupt_after, run_classifier, same, settings

import unmask.training.loop
from unmask.training import checkpoint
from unmask.training.checkpoint import fingerprint

SOURCE = '''"""What a step is."""

from math import cos  # of angles

FACTOR = 2


class Step:
    """A step."""

    def take(self, length: float = 1.0) -> float:
        """Take it."""
        # Twice as far as one would think.
        name = "step"
        return FACTOR * cos(length) if name else 0.0
'''

HARMLESS = {
    "a comment": ("# Twice as far as one would think.", "# Twice."),
    "a comment gone": ("        # Twice as far as one would think.\n", ""),
    "a comment at the end of a line": ("  # of angles", ""),
    "the docstring of a module": ("What a step is.", "What a step would be."),
    "the docstring of a class": ("A step.", "One step.\n\n    It is taken once.\n    "),
    "the docstring of a function": ("Take it.", "Take it at once."),
    "a docstring gone": ('        """Take it."""\n', ""),
    "a blank line": ("FACTOR = 2\n", "FACTOR = 2\n\n"),
    "a line broken in two": ("cos(length)", "cos(\n            length\n        )"),
    "quotes": ('"step"', "'step'"),
    "parentheses that do nothing": ("FACTOR * cos(length)", "(FACTOR * cos(length))"),
}
HARMFUL = {
    "a number": ("FACTOR = 2", "FACTOR = 3"),
    "a kind of number": ("FACTOR = 2", "FACTOR = 2.0"),
    "an operator": ("FACTOR *", "FACTOR +"),
    "a function": ("import cos", "import sin as cos"),
    "a default": ("= 1.0", "= 1.5"),
    "a text that is no docstring": ('"step"', '"stop"'),
    "a statement gone": ('        name = "step"\n', ""),
    "a statement more": ("FACTOR = 2", "FACTOR = 2\nFACTOR = 2"),
    "a name": ("name", "title"),
    "where a statement is": ("        return", "        if name:\n            return"),
}


@pytest.fixture
def source(tmp_path, monkeypatch):
    """Return a function that writes the one file that counts as the code of a run."""
    file = tmp_path / "step.py"
    monkeypatch.setattr(checkpoint, "_imported_files", lambda: {file})

    def write(text=SOURCE):
        compile(text, file, "exec")  # it is Python still
        file.write_text(text)

    return write


def edited(change):
    before, after = change
    assert before in SOURCE
    return SOURCE.replace(before, after)


@pytest.mark.parametrize("what", HARMLESS)
def test_what_does_not_run_is_no_part_of_a_run(source, what):
    source()
    before = fingerprint({}, [])
    source(edited(HARMLESS[what]))
    assert fingerprint({}, []) == before


@pytest.mark.parametrize("what", HARMFUL)
def test_what_runs_is_part_of_a_run(source, what):
    source()
    before = fingerprint({}, [])
    source(edited(HARMFUL[what]))
    assert fingerprint({}, []) != before


def test_all_imported_files_of_the_package_count_and_no_others():
    files = checkpoint._imported_files()
    package = Path(unmask.training.loop.__file__).parents[1]
    imported = [module for name, module in sys.modules.items() if name.startswith("unmask.")]
    assert {Path(unmask.training.loop.__file__), Path(checkpoint.__file__)} < files
    assert {Path(module.__file__) for module in imported} <= files
    assert all(file.is_relative_to(package) for file in files)


ARRAY = np.arange(5000, dtype=np.int64)


def other_values(row):
    array = ARRAY.copy()
    array[row] = -1
    return array


@pytest.mark.parametrize(
    "changed",
    [
        {"arrays": {"face": other_values(0)}},
        {"arrays": {"face": other_values(4999)}},  # it is read in parts
        {"arrays": {"face": ARRAY[:-1]}},
        {"arrays": {"face": ARRAY.view(np.uint64)}},
        {"arrays": {"face": ARRAY.reshape(-1, 2)}},
        {"arrays": {"upper": ARRAY}},
        {"arrays": {"face": ARRAY, "label": ARRAY}},
        {"frozen": 2.0},
        {"settings": {"seed": 2}},
        {"settings": {"seed": "1"}},
    ],
    ids=str,
)
def test_data_frozen_weights_and_settings_are_part_of_a_run(source, changed):
    source()

    def of(arrays=None, frozen=1.0, settings=None):
        module = torch.nn.BatchNorm1d(3)
        module.running_mean.fill_(frozen)  # a buffer counts like a weight
        return fingerprint(arrays or {"face": ARRAY}, [module], settings or {"seed": 1}, settings)

    assert of() == of()
    assert of(**changed) != of()


@pytest.mark.usefixtures("in_folder")
@pytest.mark.parametrize(
    ("change", "resumes"), [("a comment", True), ("a docstring gone", True), ("a number", False)]
)
def test_an_edit_discards_a_checkpoint_only_if_it_changes_what_runs(
    faces, source, monkeypatch, capsys, change, resumes
):
    source()
    with monkeypatch.context() as patch:
        interrupt_after(patch, 3)
        with pytest.raises(PowerCut):
            run_classifier(faces, settings())
    source(edited((HARMLESS | HARMFUL)[change]))
    capsys.readouterr()
    after = run_classifier(faces, settings())
    assert ("going on after epoch 3" in capsys.readouterr().err) == resumes
    assert same(after, run_classifier(faces, settings()))

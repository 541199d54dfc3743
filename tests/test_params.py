"""Mistakes in params.yaml: one line that names the key and what is allowed."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from unmask.core.errors import UserError
from unmask.params.experiments import read_experiments
from unmask.params.schema import read_all

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = (ROOT / "params.yaml").read_text()


@pytest.fixture
def params(tmp_path, monkeypatch):
    """Return a function that sets a dotted key in a copy of the shipped file; `...` removes it."""
    monkeypatch.chdir(tmp_path)
    values = yaml.safe_load(SHIPPED)

    def change(key, value):
        *path, last = key.split(".")
        section = values
        for part in path:
            section = section[part]
        if value is ...:
            del section[last]
        else:
            section[last] = value
        Path("params.yaml").write_text(yaml.safe_dump(values, sort_keys=False))

    return change


def test_the_shipped_file_is_right(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert read_all().recon.model in read_all().reconstructors


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("recon.model", "vgg", ["recon.model: vgg", "cgan, cnn_simple, cnn_deep"]),
        ("recon.modle", "unet", ["recon.modle: unknown key", "allowed here: model"]),
        ("trian", {}, ["trian: unknown key", "allowed here: data, sample, audit, train"]),
        ("train.classifier.epoch", 3, ["train.classifier.epoch: unknown key", "epochs, patience"]),
        ("train.classifier.epochs", "ten", ["train.classifier.epochs: ", "integer", "'ten'"]),
        ("train.classifier.epochs", 2.5, ["train.classifier.epochs: ", "integer", "2.5"]),
        ("train.classifier.epochs", True, ["train.classifier.epochs: ", "integer", "True"]),
        ("train.classifier.epochs", 0, ["train.classifier.epochs: ", "greater than or equal to 1"]),
        ("train.classifier.learning_rate", float("nan"), ["learning_rate: ", "finite"]),
        ("train.classifier.flip", 1.5, ["train.classifier.flip: ", "less than or equal to 1"]),
        ("train.precision", "fp8", ["train.precision: ", "'float32', 'bf16' or 'auto'", "'fp8'"]),
        ("train.seed", -1, ["train.seed: ", "greater than or equal to 0"]),
        ("data.source", "", ["data.source: ", "at least 1 character"]),
        ("data.source", ..., ["data.source: missing"]),
        ("data.source", "fer.csv", ["data.source: no file or folder fer.csv", "unmask-fetch"]),
        ("classifier.name", "resnet", ["classifier: resnet: no file src/unmask/classifiers"]),
        ("reconstructors.unet.objective.name", "gan", ["gan: no file", "training/objectives"]),
        ("reconstructors", [], ["reconstructors: ", "dictionary"]),
        ("reconstructors.umet", {"objective": {"name": "supervised"}}, ["reconstructors: umet"]),
        (
            "reconstructors.ceiling",
            {"objective": {"name": "supervised"}},
            ["ceiling names a classifier already"],
        ),
        ("reconstructors.unet.objective", ..., ["reconstructors.unet.objective: missing"]),
        ("reconstructors.unet.train", 3, ["reconstructors.unet.train: ", "dictionary"]),
    ],
)
def test_a_mistake_is_named(params, key, value, words):
    params(key, value)
    with pytest.raises(UserError) as error:
        read_all()
    message = str(error.value)
    assert message.startswith("params.yaml: ")
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize("value", [..., [], None, 3])
def test_a_file_without_experiments_is_named(params, value):
    params("laboratory", value)
    with pytest.raises(UserError, match=r"^params\.yaml: laboratory: no experiments; restore"):
        read_experiments()


def test_numbers_are_read_as_dvc_writes_them(params):
    params("train.classifier.learning_rate", 0.5)
    text = Path("params.yaml").read_text().replace("learning_rate: 0.5", "learning_rate: 1e-05")
    Path("params.yaml").write_text(text)
    assert read_all().train.classifier.learning_rate == 1e-5


@pytest.mark.parametrize(
    "text", ["a: [1", "\t", "- a", "", "a: \x00", "a: 1\na: 2", "a: 2024-02-31", "a: !!int x"]
)
def test_a_file_that_is_no_mapping_is_named(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(text)
    with pytest.raises(UserError, match=r"^params\.yaml"):
        read_all()


def test_no_object_is_built_from_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("a: !!python/object/apply:os.mkdir [evil]\n")
    with pytest.raises(UserError, match="not valid YAML"):
        read_all()
    assert not Path("evil").exists()


def test_a_stage_prints_one_line_and_exits_2(params):
    params("recon.model", "vgg")
    script = ROOT / "stages" / "check_params.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: params.yaml: recon.model: vgg has no entry")
    assert len(done.stderr.splitlines()) == 1
    assert not Path("data").exists()

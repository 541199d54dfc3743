"""Mistakes in params.yaml: one line that names the key and what is allowed."""

import copy
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from nested import set_key
from unmask.core.errors import UserError
from unmask.core.faces import CLASSES
from unmask.core.section import Section, check
from unmask.params import models, parts
from unmask.params.laboratory import read_experiments
from unmask.params.models import read_classifier
from unmask.params.parts import check_parts
from unmask.params.schema import read_all

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = yaml.safe_load((ROOT / "params.yaml").read_text())


@pytest.fixture
def params(tmp_path, monkeypatch):
    """Return a function that sets a dotted key in a copy of the shipped file; `...` removes it."""
    monkeypatch.chdir(tmp_path)
    values = copy.deepcopy(SHIPPED)

    def change(key, value):
        set_key(values, key, value)
        Path("params.yaml").write_text(yaml.safe_dump(values, sort_keys=False))

    return change


def test_the_shipped_file_is_right(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert read_all().recon.model in read_all().reconstructors


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("recon.model", "vgg", ["recon.model: vgg", "cgan, cnn_simple, cnn_deep"]),
        (
            "recon.teacher",
            "hard",
            ["recon.teacher: hard: no reader of all classes that", "none, whole"],
        ),
        ("recon.modle", "unet", ["recon.modle: unknown key", "allowed here: model"]),
        ("trian", {}, ["trian: unknown key", "allowed here: data, sample, audit, placement"]),
        ("train.classifier.epoch", 3, ["train.classifier.epoch: unknown key", "epochs, patience"]),
        ("train.classifier.epochs", "ten", ["train.classifier.epochs: ", "integer", "'ten'"]),
        ("train.classifier.epochs", 2.5, ["train.classifier.epochs: ", "integer", "2.5"]),
        ("train.classifier.epochs", True, ["train.classifier.epochs: ", "integer", "True"]),
        ("train.classifier.epochs", 0, ["train.classifier.epochs: ", "greater than or equal to 1"]),
        ("train.classifier.learning_rate", float("nan"), ["learning_rate: ", "finite"]),
        ("train.classifier.flip", 1.5, ["train.classifier.flip: ", "less than or equal to 1"]),
        ("train.classifier.warmup", 9, ["classifier.warmup: 9.0, but there are 5 epochs; set it"]),
        (
            "reconstructors.unet.objective.expression",
            0.1,
            ["recon.teacher: none, but reconstructors.unet.objective has `expression`"],
        ),
        ("train.precision", "fp8", ["train.precision: ", "'float32', 'bf16' or 'auto'", "'fp8'"]),
        ("train.classifier.batch_size", 1, ["batch_size: ", "greater than or equal to 2, not 1"]),
        ("train.devices", 100, ["train.classifier.batch_size: 10, but each of 100 processes"]),
        ("train.devices", 10**30, ["train.devices: ", "less than or equal to 1000"]),
        ("sample.train", 10**9, ["sample.train: ", "less than or equal to 1000000"]),
        ("train.seed", -1, ["train.seed: ", "greater than or equal to 0"]),
        ("data.source", "", ["data.source: ", "at least 1 character"]),
        ("data.source", ..., ["data.source: missing"]),
        ("data.source", "fer.csv", ["data.source: no file or folder fer.csv", "unmask fetch"]),
        ("data.source", " ", ["data.source: no file or folder ' '; fix the path"]),
        ("data.source", 2013, ["data.source: input should be a valid string, not 2013"]),
        ("data.votes", "  ", ["data.votes: no file or folder '  '; fix the path"]),
        ("data.votes", "v.csv ", ["data.votes: no file or folder 'v.csv '; fix the path"]),
        (
            "placement",
            "nose",
            ["placement: input should be 'rows', 'landmarks' or 'eyes'", "'nose'"],
        ),
        ("placement", ..., ["placement: missing"]),
        ("release.reader", "nobody", ["release.reader: no reader nobody", "choose one of whole"]),
        ("classifiers.resnet.name", "foo", ["classifiers: resnet.name: its key is its name"]),
        ("recon.folds", 1000, ["recon.folds: ", "less than or equal to 100"]),
        ("audit.similarity", 1.0, ["audit.similarity: ", "less than 1"]),
        ("laboratory.a b", {"reconstructor": "all"}, ["laboratory: a b: no name for a folder"]),
        ("classifiers.ensemble", {}, ["ensemble: made of trained readers; make it an entry of"]),
        ("readers.hard.classifier.name", "posterior_average", ["made of trained readers; make"]),
        ("release.seed", "one", ["release.seed: 'one': no model of a reader", "or all"]),
        ("release.seed", 99, ["release.seed: no model 99 of distilled; choose one of 1, 2, 3"]),
        ("release.seed", "all", ["release.seed: no model all of distilled; choose"]),
        ("release", ..., ["release: missing"]),
        ("classifier", "foo", ["classifier: foo has no entry", "choose one of paper_cnn, resnet"]),
        ("classifier", "unet", ["classifier: unet has no entry", "choose one of paper_cnn, resne"]),
        ("classifier", 3, ["classifier: ", "string", "3"]),
        ("classifier", ..., ["classifier: missing"]),
        ("classifiers", ..., ["classifiers: missing"]),
        ("classifiers", {}, ["classifier: paper_cnn has no entry", "choose one of"]),
        ("classifiers.foo", {}, ["classifiers: foo: no file src/unmask/classifiers/foo.py"]),
        ("classifiers.resnet", 3, ["classifiers.resnet: ", "dictionary"]),
        ("reconstructors.unet.objective.name", "gan", ["gan: no file src/unmask/objectives/gan"]),
        ("reconstructors", [], ["reconstructors: ", "dictionary"]),
        ("reconstructors.umet", {"objective": {"name": "supervised"}}, ["reconstructors: umet"]),
        (
            "reconstructors.ceiling",
            {"objective": {"name": "supervised"}},
            ["ceiling names a classifier already"],
        ),
        ("reconstructors.unet.objective", ..., ["reconstructors.unet.objective: missing"]),
        ("reconstructors.unet.train", 3, ["reconstructors.unet.train: ", "dictionary"]),
        ("reconstructors.unet.train", {"epoch": 3}, ["train.epoch: unknown key", "epochs, pat"]),
        ("reconstructors.vgg16.train.flip", 2.0, ["vgg16.train.flip: ", "less than or equal to 1"]),
        ("reconstructors.unet.train", {"mixup": 0.1}, ["unet.train.mixup: 0.1, but only classif"]),
        (
            "readers.privileged.train.mixup",
            0.1,
            ["privileged.objective.cross_fitted: true, but mi"],
        ),
        ("readers.hard.train.epochs", None, ["readers.hard.train.epochs: ", "integer, not None"]),
        ("laboratory.honest.train", {"lr": 1}, ["laboratory.honest.train.lr: unknown key"]),
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


@pytest.mark.parametrize(
    ("name", "added"),
    [
        ("supervised", "teachers"),
        ("closed_form", "teachers"),
        ("adversarial", "view"),
    ],
)
def test_what_a_stage_adds_to_an_objective_is_refused(params, name, added):
    for key, objective in (
        ("reconstructors.unet.objective", {"name": name}),
        ("readers.hard.objective", {"name": "cross_entropy", "teacher": "none"}),
    ):
        params(key, {**objective, added: ["models/a"]})
        with pytest.raises(UserError, match=rf"yaml: {key}: {added}: .*; remove this key$"):
            read_all()
        params(key, objective)


@pytest.mark.parametrize("name", ["cross_entropy", "distillation"])
def test_objectives_of_classifiers_do_not_teach_reconstructors(params, name):
    params("reconstructors.unet.objective", {"name": name, "loss": "l1"})
    with pytest.raises(UserError, match=rf"unet\.objective: {name}: only classifiers .*; take sup"):
        read_all()


@pytest.mark.parametrize("name", ["supervised", "foo"])
def test_objectives_of_reconstructors_do_not_teach_readers(params, name):
    params("readers.hard.objective", {"name": name, "teacher": "none"})
    with pytest.raises(UserError, match=rf"hard\.objective\.name: {name}: .*; take cross_entropy"):
        read_all()


@pytest.mark.parametrize("key", ["data.source", "data.votes"])
@pytest.mark.parametrize("name", ["mine.csv", "d (1)/my faces.csv", "it's.csv"])
def test_what_the_copy_of_an_experiment_lacks_is_named(params, tmp_path, monkeypatch, key, name):
    params(key, name)
    copy = tmp_path / ".dvc/tmp/exps/standalone/tmp1"
    copy.mkdir(parents=True)
    Path("params.yaml").rename(copy / "params.yaml")
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).touch()
    monkeypatch.chdir(copy)
    with pytest.raises(UserError, match=f"{key}: no file .* in this copy of the") as error:
        read_all()
    command = re.search("run `(dvc add .*)` and commit", str(error.value))[1]
    assert shlex.split(command) == ["dvc", "add", name]


def test_the_classifier_is_the_entry_that_is_named(params):
    params("classifier", "resnet")
    assert read_classifier().name == "resnet"
    assert read_classifier().settings == {"width": 16, "blocks": 2, "dropout": 0.0}


@pytest.mark.parametrize("name", ["foo", None, 3, [], {"a": 1}, ...])
def test_a_stage_that_trains_names_an_unknown_classifier(params, name):
    params("classifier", name)
    with pytest.raises(UserError, match=r"^params\.yaml: classifier: .*paper_cnn, resnet$"):
        read_classifier()


@pytest.mark.parametrize("value", [..., [], None, 3])
def test_a_file_without_classifiers_is_named(params, value):
    params("classifiers", value)
    with pytest.raises(UserError, match=r"^params\.yaml: classifier: paper_cnn has no entry"):
        read_classifier()


@pytest.mark.parametrize("value", [..., [], None, 3])
def test_a_file_without_experiments_is_named(params, value):
    params("laboratory", value)
    with pytest.raises(UserError, match=r"^params\.yaml: laboratory: no experiments; restore"):
        read_experiments()


def test_a_key_where_none_is_allowed_is_unknown():
    with pytest.raises(UserError, match=r"objective\.loss: unknown key; allowed here: none$"):
        check(Section, {"loss": "l1"}, "reconstructors.nearest.objective")


def test_a_reader_of_groups_alone_is_not_released(params):
    hard, groups = SHIPPED["readers"]["hard"], [["happy"], list(set(CLASSES) - {"happy"})]
    params("readers.grouped", hard | {"objective": hard["objective"] | {"groups": groups}})
    params("release.reader", "grouped")
    with pytest.raises(UserError, match=r"release\.reader: no reader grouped of all classes; choo"):
        read_all()


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


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("reconstructors.unet.widht", 3, ["unet.widht: unknown key; allowed here: width, dropout"]),
        ("reconstructors.unet.width", "wide", ["unet.width: input should be a valid integer"]),
        ("reconstructors.unet.objective.loss", "l3", ["unet.objective.loss: ", "'l3'"]),
        ("reconstructors.cgan.objective.r1", -1.0, ["cgan.objective.r1: ", "equal to 0"]),
        ("reconstructors.inception_v3.size", 20, ["inception_v3.size: ", "equal to 75"]),
        ("reconstructors.resnet50.pretrained", "w.pth", ["resnet50.pretrained: no file or folder"]),
        ("reconstructors.resnet50.pretrained", ".", ["resnet50.pretrained: .: a folder; name the"]),
        ("reconstructors.vgg16.pretrained", "package", ["file or folder package; ", "or imagenet"]),
        ("reconstructors.mean_face.objective.weight", 1, ["mean_face.objective.weight: unknown"]),
        ("classifiers.paper_cnn.filters", [], ["classifiers.paper_cnn.filters: ", "1 item"]),
        ("readers.hard.classifier.depth", 3, ["readers.hard.classifier.depth: unknown key"]),
        ("readers.privileged.objective.weight", 2.0, ["privileged.objective.weight: ", "to 1"]),
        ("readers.hard.objective.class_weights", "even", ["hard.objective.class_weights: "]),
    ],
)
def test_settings_of_one_model_are_checked_before_anything_runs(params, key, value, words):
    params(key, value)
    with pytest.raises(UserError) as error:
        check_parts(read_all())
    message = str(error.value)
    assert message.startswith("params.yaml: ")
    assert "\n" not in message
    for word in words:
        assert word in message


def test_what_stages_add_is_left_out_of_the_check_alike():
    assert set(parts._ADDED) == set(models._ADDED)


def test_the_shipped_settings_of_all_models_are_right(monkeypatch):
    monkeypatch.chdir(ROOT)
    check_parts(read_all())


@pytest.mark.parametrize(
    ("key", "name", "words"),
    [
        ("recon.model", "vgg", "recon.model: vgg has no entry"),
        ("classifier", "foo", "classifier: foo has no entry under classifiers; choose one of"),
    ],
)
def test_a_stage_prints_one_line_and_exits_2(params, key, name, words):
    params(key, name)
    script = ROOT / "stages" / "check_params.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: params.yaml: {words}")
    assert len(done.stderr.splitlines()) == 1
    assert not Path("data").exists()

"""Model folders: what is loaded is what was saved; what cannot be loaded is named in one line."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

import unmask
from seen_faces import seen_faces
from unmask.core.errors import UserError
from unmask.core.files import read_json, write_json
from unmask.models.folder import (
    FORMAT,
    build,
    classifier_config,
    load_model,
    load_tensors,
    read_config,
    reconstructor_config,
    save_model,
)
from unmask.params.models import Reconstructor

ROOT = Path(__file__).resolve().parents[2]
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text())
CLASSIFIERS = {
    "paper_cnn": PARAMS["classifiers"]["paper_cnn"] | {"filters": [4, 8], "hidden": 16},
    "resnet": PARAMS["classifiers"]["resnet"] | {"width": 4},
}
SMALL = {"width": 2, "hidden": 8}
VIEWS = {"upper": (24, 48), "whole": (48, 48), "stitched unet": (48, 48)}


def settings_of(name):
    """Return a reconstructor's settings as shipped, but for a small width."""
    settings = Reconstructor.model_validate(PARAMS["reconstructors"][name]).settings
    widths = {"width", "hidden"} if "freeze" in settings else {"width"} & set(settings)
    return settings | {key: SMALL[key] for key in widths}


def small(name="resnet", view="whole", trained=None):
    """Return the configuration of a small model."""
    if name in CLASSIFIERS:
        return classifier_config(name, CLASSIFIERS[name], view, VIEWS[view], trained)
    return reconstructor_config(name, settings_of(name), trained)


def save(config, folder):
    folder.mkdir(parents=True, exist_ok=True)
    model = seen_faces(config)
    save_model(model, config, folder)
    return model


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Let the test run in an empty folder, so without params.yaml."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)


def same_bits(first, second):
    return first.dtype == second.dtype and torch.equal(first, second)


@pytest.mark.usefixtures("elsewhere", "thin_encoders")
@pytest.mark.parametrize(
    ("name", "view"),
    [(name, view) for name in CLASSIFIERS for view in VIEWS]
    + [(name, "upper") for name in PARAMS["reconstructors"]],
)
def test_what_is_loaded_is_what_was_saved_to_the_bit(tmp_path, name, view):
    config = small(name, view)
    saved = save(config, tmp_path / "model")
    torch.manual_seed(2)  # nothing that is drawn while it is built may stay
    loaded = unmask.load(tmp_path / "model")
    assert not any(module.training for module in loaded.modules())
    before, after = saved.state_dict(), loaded.state_dict()
    assert list(after) == list(before)
    for key, tensor in before.items():
        assert same_bits(after[key], tensor), key
    images = torch.rand(3, *config.input_shape)
    with torch.no_grad():
        assert same_bits(loaded(images), saved.eval()(images))
    assert read_config("../model") == config


@pytest.mark.usefixtures("elsewhere")
def test_a_folder_is_given_as_a_path_or_as_words(tmp_path):
    saved = save(small(), tmp_path / "model").state_dict()
    for folder in (str(tmp_path / "model"), Path("../model")):
        loaded = unmask.load(folder).state_dict()
        assert all(same_bits(loaded[key], tensor) for key, tensor in saved.items())


def test_the_configuration_says_what_the_model_is(tmp_path):
    trained = {"source": "faces.csv", "seed": 7, "settings": {"flip": 0.5, "gradient_clip": None}}
    save(small("resnet", "stitched unet", trained), tmp_path)
    assert read_json(tmp_path / "config.json") == {
        "format": FORMAT,
        "kind": "classifier",
        "architecture": "resnet",
        "settings": CLASSIFIERS["resnet"],
        "view": "stitched unet",
        "input_shape": [1, 48, 48],
        "classes": ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"],
        "trained": trained,
    }
    reconstructor = small("unet")
    assert (reconstructor.kind, reconstructor.view) == ("reconstructor", "upper")
    assert (reconstructor.input_shape, reconstructor.classes) == ([1, 24, 48], [])


@pytest.mark.usefixtures("elsewhere")
def test_a_pretrained_encoder_needs_its_checkpoint_no_more(tmp_path):
    config = reconstructor_config("vgg16", settings_of("vgg16") | {"pretrained": "gone.pth"})
    saved = save(config, tmp_path)
    loaded = unmask.load(tmp_path).state_dict()
    assert all(same_bits(loaded[key], tensor) for key, tensor in saved.state_dict().items())


@pytest.mark.usefixtures("elsewhere")
def test_a_fresh_python_loads_a_model_by_two_lines(tmp_path):
    save(small(), tmp_path)
    code = (
        "import sys, unmask; assert 'torch' not in sys.modules; "
        f"model = unmask.load({str(tmp_path)!r}); "
        "import torch; assert model(torch.zeros(2, 1, 48, 48)).shape == (2, 7); "
        "print(next(model.parameters()).device, any(m.training for m in model.modules()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "cpu False\n", done.stderr


def refusal(folder):
    """Return the one line that says why a model is not loaded."""
    with pytest.raises(UserError) as error:
        load_model(folder)
    message = str(error.value)
    assert "\n" not in message
    return message


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """The folder of a small classifier."""
    folder = tmp_path_factory.mktemp("good")
    save(small(), folder)
    return folder


@pytest.fixture
def model(good, tmp_path):
    """A copy of that folder, which loads."""
    folder = shutil.copytree(good, tmp_path / "model")
    load_model(folder)
    return folder


def change(folder, **values):
    """Change the configuration as another version of this code would have written it."""
    config = read_json(folder / "config.json") | values
    kept = {key: value for key, value in config.items() if value is not ...}
    write_json(folder / "config.json", kept)


@pytest.mark.parametrize("version", [FORMAT + 1, 0, "new"])
def test_an_unknown_format_is_named(model, version):
    # A later version may have any keys; what is said first is that it is later.
    change(model, format=version, architecture=..., layers=12)
    line = refusal(model)
    assert line.startswith(f"{model}/config.json: format {version}, ")
    assert f"reads format {FORMAT}; " in line


KEYS = ["format", "kind", "architecture", "settings", "view", "input_shape", "classes", "trained"]


@pytest.mark.parametrize("key", KEYS)
def test_a_missing_key_is_named(model, key):
    change(model, **{key: ...})
    assert refusal(model).startswith(f"{model}/config.json: {key}: missing; ")


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("kind", "discriminator", "'classifier' or 'reconstructor'"),
        ("input_shape", [48, 48], "at least 3"),
        ("settings", None, "dictionary"),
        ("colour", "grey", "unknown key; allowed here: format, kind, architecture, settings"),
    ],
)
def test_a_wrong_value_is_named(model, key, value, words):
    change(model, **{key: value})
    line = refusal(model)
    assert line.startswith(f"{model}/config.json: {key}: ")
    assert words in line


@pytest.mark.parametrize("name", ["vit", "unet", "", "../models/blocks", "__init__", "os.path"])
def test_an_unknown_architecture_is_named(model, name):
    # `unet` is a reconstructor, not a classifier.
    change(model, architecture=name)
    line = refusal(model)
    assert line.startswith(f"{model}/config.json: {name}: no file src/unmask/classifiers/{name}.py")


def test_an_unknown_setting_is_named(model):
    change(model, settings=CLASSIFIERS["resnet"] | {"widht": 3})
    line = refusal(model)
    assert line.startswith(f"{model}/config.json: settings.widht: unknown key; allowed here: width")


def test_a_missing_setting_is_named(model):
    # Settings may have defaults in a later version; this one has none, and makes up none.
    change(model, settings={"width": 4, "dropout": 0.0})
    assert refusal(model).startswith(f"{model}/config.json: settings.blocks: missing; ")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"width": 8}, "size mismatch"),  # the same names, other shapes
        ({"blocks": 1}, "Unexpected key"),
        ({"blocks": 3}, "Missing key"),
    ],
)
def test_weights_of_another_shape_are_named(model, settings, words):
    change(model, settings=CLASSIFIERS["resnet"] | settings)
    line = refusal(model)
    assert line.startswith(f"{model}/weights.safetensors: weights of another model (")
    assert words in line


def test_weights_for_another_size_of_face_are_named(tmp_path):
    save(small("paper_cnn", "whole"), tmp_path)
    change(tmp_path, input_shape=[1, 24, 48])
    line = refusal(tmp_path)
    assert line.startswith(f"{tmp_path}/weights.safetensors: weights of another model (")


@pytest.mark.parametrize("file", ["config.json", "weights.safetensors"])
def test_a_missing_file_is_named(model, file):
    (model / file).unlink()
    assert refusal(model) == f"{model / file}: no such file; run `dvc repro`"


@pytest.mark.parametrize("name", ["none", "model.pth"])
def test_what_is_no_folder_is_named(tmp_path, name):
    (tmp_path / "model.pth").touch()
    line = refusal(tmp_path / name)
    assert line == f"{tmp_path}/{name}: no such folder; give the folder of a trained model"


def flip(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("file", ["config.json", "weights.safetensors"])
@pytest.mark.parametrize("part", [0.02, 0.2, 0.5, 0.8, 0.98])
def test_a_flipped_bit_is_named(model, file, part):
    path = model / file
    flip(path, int(part * len(path.read_bytes())))
    assert refusal(model) == f"{path}: checksum mismatch; delete it and run `dvc repro`"


def test_a_flipped_bit_in_a_value_of_the_configuration_is_named(model):
    path = model / "config.json"
    flip(path, path.read_bytes().index(b'"width": 4') + len('"width": '))
    assert json.loads(path.read_text())["settings"]["width"] == 5  # JSON as good as it was
    assert refusal(model) == f"{path}: checksum mismatch; delete it and run `dvc repro`"


def test_weights_cut_short_are_named(model):
    path = model / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    assert refusal(model) == f"{path}: checksum mismatch; delete it and run `dvc repro`"


def test_the_weights_are_those_of_the_model_and_nothing_else(good):
    tensors, notes = load_tensors(good / "weights.safetensors")
    assert list(tensors) == sorted(build(small()).state_dict())
    assert notes == {}

"""Checkpoints as people save them: names with a prefix, weights among the state of a training."""

from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.optim.swa_utils import AveragedModel
from torchvision.models import ResNet50_Weights

from unmask.comparison.tables import RECONSTRUCTION
from unmask.core.errors import UserError
from unmask.models import folder
from unmask.models.pretrained import load_pretrained

pytestmark = pytest.mark.usefixtures("in_folder")


class Network(nn.Module):
    """Has names that end like others, and a count of batches."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
        self.layer1 = nn.Sequential(OrderedDict(conv1=nn.Conv2d(4, 4, 1), bn1=nn.BatchNorm2d(4)))


def network(value=0.5):
    made = Network()
    for parameter in made.parameters():
        nn.init.constant_(parameter, value)
    return made


def weights(value=0.5):
    return network(value).state_dict()


def prefixed(prefix, state):
    return {prefix + name: tensor for name, tensor in state.items()}


def training(model):
    """Beside weights: an optimiser that has made a step, and plain values."""
    optimiser = torch.optim.Adam(model.parameters())
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimiser.step()
    scores = {"best_acc1": torch.tensor(0.7), "lr": [0.1], "arch": "resnet50", "none": None}
    return {"optimizer": optimiser.state_dict(), "epoch": 3, **scores}


def loaded(content, file="w.pth"):
    """Return what is said of a checkpoint, and the value that fills the network's weights."""
    (save_file if file.endswith(".safetensors") else torch.save)(content, file)
    return read_into(network(0), file)


def read_into(model, file):
    """Return what is said of a checkpoint file, and the value that then fills the weights."""
    facts = load_pretrained(model, file, ResNet50_Weights.IMAGENET1K_V2)
    (value,) = {value for p in model.parameters() for value in p.unique().tolist()}
    assert set(facts) == {"pretrained", "pretrained_sha256"}
    return facts["pretrained"], value


@pytest.mark.parametrize("file", ["w.pth", "pytorch_model.bin", "w.ckpt", "W.SAFETENSORS"])
def test_safetensors_are_read_whatever_the_name(file):
    save_file(weights(), "w.safetensors")
    Path("w.safetensors").rename(file)
    assert read_into(network(0), file) == (file, 0.5)


@pytest.mark.parametrize("file", ["w.safetensors", "w.pth.tar", "w", "w.csv"])
def test_a_checkpoint_of_torch_is_read_whatever_the_name(file):
    torch.save({"state_dict": weights()}, "w.pth")
    Path("w.pth").rename(file)
    assert read_into(network(0), file) == (f"{file} (from state_dict)", 0.5)


def refusal(content):
    with pytest.raises(UserError) as error:
        loaded(content)
    assert str(error.value).isprintable()
    return str(error.value)


PREFIXES = [
    "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "backbone.", "encoder.",
    "model.", "module.backbone.", "model.encoder.", "resnet.", "student.net.0.", "conv1.",
    "layer1.", "features.", "base_model/", "my", "é.", ".",
]  # fmt: skip


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("file", ["w.pth", "w.safetensors"])
def test_a_prefix_of_all_names_is_taken_off_and_said(prefix, file):
    content = prefixed(prefix, weights())
    assert loaded(content, file) == (f"{file} (names without {prefix})", 0.5)
    beside = {"fc.weight": torch.ones(2), f"{prefix}fc.weight": torch.ones(2)}
    assert loaded(content | beside, file) == (f"{file} (names without {prefix})", 0.5)


KEYS = [
    "state_dict", "model_state_dict", "model", "net", "ema", "ema_state_dict", "params", "weights",
    "teacher", "state_dict_ema", "network", "foo",
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_weights_under_a_key_are_found_and_the_key_is_said(key):
    assert loaded({key: weights()}) == (f"w.pth (from {key})", 0.5)
    among = training(network()) | {key: prefixed("module.", weights())}
    assert loaded(among) == (f"w.pth (names without module., from {key})", 0.5)
    said, _ = loaded({"checkpoint": among})
    assert said == f"w.pth (names without module., from checkpoint.{key})"


def lightning():
    state = prefixed("model.encoder.", weights()) | {"model.decoder.weight": torch.ones(3)}
    states = [training(network())["optimizer"]]
    return {"state_dict": state, "optimizer_states": states, "epoch": 3, "callbacks": {"a": {}}}


def averaged():
    return AveragedModel(network()).state_dict()


def hugging_face():
    return prefixed("resnet.", weights()) | {"classifier.1.bias": torch.ones(7)}


def both():
    return nn.DataParallel(torch.compile(network())).state_dict()


USUAL = {
    "DataParallel": (lambda: nn.DataParallel(network()).state_dict(), "names without module."),
    "compile": (lambda: torch.compile(network()).state_dict(), "names without _orig_mod."),
    "both": (both, "names without module._orig_mod."),
    "Lightning": (lightning, "names without model.encoder., from state_dict"),
    "AveragedModel": (averaged, "names without module."),
    "timm": (lambda: {"state_dict_ema": averaged()}, "names without module., from state_dict_ema"),
    "Hugging Face": (hugging_face, "names without resnet."),
}


@pytest.mark.parametrize("library", USUAL)
def test_checkpoints_of_usual_libraries_are_read(library):
    content, taken_off = USUAL[library]
    assert loaded(content()) == (f"w.pth ({taken_off})", 0.5)


def test_names_as_they_are_are_left_so_and_nothing_is_said():
    assert loaded(weights()) == ("w.pth", 0.5)
    assert loaded(weights() | training(network())) == ("w.pth", 0.5)
    more = prefixed("ema.", weights(2)) | prefixed("a.", weights(3))
    assert loaded(weights() | more) == ("w.pth", 0.5)


ONE, TWO = weights(1), weights(2)
TAKEN = [
    ({"model": ONE, "model_ema": TWO}, "from model_ema"),
    ({"student": ONE, "teacher": prefixed("a.", TWO)}, "names without a., from teacher"),
    (prefixed("net.", ONE) | prefixed("swa_net.", TWO), "names without swa_net."),
    ({"net": ONE | prefixed("a.", weights(3)), "ema": TWO}, "from ema"),
    ({"small": dict.fromkeys(ONE, torch.ones(1)), "big": TWO}, "from big"),
    ({"model": weights(torch.nan), "best": TWO}, "from best"),
    ({"optimizer": {"exp_avg": ONE}, "model": TWO}, "from model"),
    (prefixed("optimizer.exp_avg.", ONE) | prefixed("model.", TWO), "names without model."),
    ({"last": TWO, "best": prefixed("model.", weights(2))}, "from last"),
]


@pytest.mark.parametrize(("content", "taken_off"), TAKEN, ids=[words for _, words in TAKEN])
def test_of_several_weights_those_are_taken_that_the_documentation_says(content, taken_off):
    assert loaded(content) == (f"w.pth ({taken_off})", 2)


UNCLEAR = [
    ({"model": ONE, "best": TWO}, "from model; from best"),
    (prefixed("q.", ONE) | prefixed("k.", TWO), "names without q.; names without k."),
    ({"ema": ONE, "teacher": prefixed("m.", TWO)}, "from ema; names without m., from teacher"),
    (ONE | {"state_dict": TWO}, "not nested; from state_dict"),
]


@pytest.mark.parametrize(("content", "found"), UNCLEAR, ids=[words for _, words in UNCLEAR])
def test_of_several_weights_none_is_guessed(content, found):
    assert refusal(content).startswith(f"w.pth: different weights fit ({found}); keep")


PARTLY = [
    (lambda name: name[:6] != "conv1.", "no weights conv1.weight, but module.conv1.weight"),
    (lambda name: name == "conv1.weight", "no weights module.conv1.weight, but conv1.weight"),
    (lambda name: name != "bn1.bias", "no weights bn1.bias, but module.bn1.bias"),
]


@pytest.mark.parametrize(("kept", "line"), PARTLY, ids=[line for _, line in PARTLY])
def test_a_prefix_of_only_some_names_is_refused_by_name(kept, line):
    mixed = {name if kept(name) else f"module.{name}": t for name, t in weights().items()}
    assert refusal(mixed) == f"w.pth: {line}; take a checkpoint of this network"


@pytest.mark.parametrize("name", ["conv1.weight", "bn1.running_var", "layer1.conv1.bias"])
def test_a_missing_weight_is_named(name):
    few = {key: tensor for key, tensor in weights().items() if key != name}
    few |= prefixed("layer2.", {k: t for k, t in weights().items() if k.count(".") == 1})
    assert refusal(few) == f"w.pth: no weights {name}; take a checkpoint of this network"
    nested = refusal({"net": prefixed("module.", few)})
    assert nested.startswith(f"w.pth, net: no weights module.{name}; ")


NAMES = {
    "resnet50": "layer3.5.conv3.weight",
    "vgg16": "features.21.weight",
    "inception_v3": "Mixed_7c.branch_pool.conv.weight",
}


@pytest.mark.parametrize("name", NAMES)
def test_an_encoders_own_names_are_no_prefix(name):
    def build():
        return folder.build(folder.reconstructor_config(name, {"pretrained": "w.pth"}))

    expected, model = build().encoder.state_dict(), build()
    torch.save({"state_dict": prefixed("model.features.", expected)}, "w.pth")
    words = "names without model.features., from state_dict"
    assert model.load_pretrained()["pretrained"] == f"w.pth ({words})"
    assert NAMES[name] in expected
    assert all(torch.equal(t, expected[key]) for key, t in model.encoder.state_dict().items())


def test_layers_without_the_name_of_their_block_are_not_the_networks():
    model = folder.build(folder.reconstructor_config("vgg16", {"pretrained": "w.pth"}))
    torch.save(model.encoder.features.state_dict(), "w.pth")
    with pytest.raises(
        UserError, match=r"^w\.pth: weights of another network: names begin with 0\.,"
    ):
        model.load_pretrained()


@pytest.mark.parametrize("key", ["a|b", "<script>", "\x1b[31m", "`*[x](y)", "\n\n# title\n"])
def test_what_is_said_does_no_harm_to_a_table_or_a_terminal(key):
    said, _ = loaded({key: prefixed(key, weights())})
    cell = RECONSTRUCTION["pretrained"]({"pretrained": said})
    assert cell.isprintable()
    assert not set("|<>`*[]#") & set(cell)


def test_a_long_prefix_is_cut_where_it_is_said():
    said, _ = loaded({"k" * 400: prefixed("p" * 400 + ".", weights())})
    assert said == f"w.pth (names without {'p' * 60}..., from {'k' * 60}...)"


def test_a_mapping_with_methods_of_its_own_is_read_without_them():
    class Replaces:
        def __reduce__(self):
            methods = dict.fromkeys(("items", "keys", "values", "get"), 1)
            return OrderedDict, (), methods, None, iter(weights().items())

    assert loaded({"state_dict": Replaces()}) == ("w.pth (from state_dict)", 0.5)

"""Encoders of torchvision: weights from good and broken checkpoints, frozen layers, features."""

import urllib.error
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from runs import PowerCut, interrupt_after, run_reconstructor, same, settings
from safetensors.torch import save_file
from torch import nn

from unmask.core.errors import UserError
from unmask.core.mask import crop
from unmask.models import encoders, folder
from unmask.training.process_group import Compute
from unmask.training.reconstructor import keep_features

NETWORKS = {
    "resnet50": torchvision.models.resnet50,
    "vgg16": torchvision.models.vgg16,
    "inception_v3": torchvision.models.inception_v3,
}
A_WEIGHT = {
    "resnet50": "layer3.5.conv3.weight",
    "vgg16": "features.21.weight",
    "inception_v3": "Mixed_7c.branch_pool.conv.weight",
}


FLOAT32 = Compute(torch.device("cpu"), "float32")

pytestmark = pytest.mark.usefixtures("in_folder")


def build(name, **settings):
    return folder.build(folder.reconstructor_config(name, settings))


@pytest.fixture(scope="module")
def checkpoints():
    """Checkpoints as torchvision publishes them: the whole network under its own names."""
    states = {}
    for name, network in NETWORKS.items():
        with torch.device("meta"):  # names and shapes at no cost; values follow
            shapes = network(**({"init_weights": False} if name == "inception_v3" else {}))
        values = shapes.state_dict()
        random = np.random.default_rng(0)
        states[name] = {
            key: torch.from_numpy(random.random(tensor.shape, dtype=np.float32)) * 0.01
            if tensor.is_floating_point()
            else torch.zeros(tensor.shape, dtype=tensor.dtype)
            for key, tensor in values.items()
            if not key.startswith("classifier.")  # VGG16's are half a gigabyte
        }
    return states


@pytest.mark.parametrize(
    ("name", "suffix"), [*((name, "pth") for name in NETWORKS), ("vgg16", "safetensors")]
)
def test_a_local_checkpoint_becomes_the_encoder(checkpoints, in_folder, name, suffix):
    file = in_folder / f"weights.{suffix}"
    (torch.save if suffix == "pth" else save_file)(checkpoints[name], file)
    model = build(name, pretrained=str(file))
    facts = model.load_pretrained()
    state = model.encoder.state_dict()
    assert all(torch.equal(tensor, checkpoints[name][key]) for key, tensor in state.items())
    assert A_WEIGHT[name] in state
    assert facts["pretrained"] == str(file)
    assert len(facts["pretrained_sha256"]) == 64


def test_a_checkpoint_without_counters_of_batches_is_taken(checkpoints, in_folder):
    old = {k: v for k, v in checkpoints["resnet50"].items() if "num_batches_tracked" not in k}
    torch.save(old, "old.pth")
    assert build("resnet50", pretrained="old.pth").load_pretrained()


def test_a_checkpoint_whose_counters_were_halved_too_is_taken(checkpoints, in_folder):
    torch.save({k: v.half() for k, v in checkpoints["resnet50"].items()}, "half.pth")
    assert build("resnet50", pretrained="half.pth").load_pretrained()


def test_a_checkpoint_with_a_missing_weight_is_refused(checkpoints, in_folder):
    weight = A_WEIGHT["vgg16"]
    state = {key: tensor for key, tensor in checkpoints["vgg16"].items() if key != weight}
    torch.save(state, "w.pth")
    with pytest.raises(UserError, match=rf"^w\.pth: no weights {weight}"):
        build("vgg16", pretrained="w.pth").load_pretrained()


def test_a_checkpoint_with_a_wrong_shape_is_refused(checkpoints, in_folder):
    weight = A_WEIGHT["vgg16"]
    torch.save(checkpoints["vgg16"] | {weight: torch.zeros(3, 2, 1, 1)}, "w.pth")
    with pytest.raises(UserError, match=rf"{weight} has the shape \[3, 2, 1, 1\], not"):
        build("vgg16", pretrained="w.pth").load_pretrained()


@pytest.mark.parametrize("name", NETWORKS)
def test_weights_that_cannot_be_downloaded_are_named_with_the_way_on(monkeypatch, name):
    def unreachable(*_, **__):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", unreachable)
    with pytest.raises(UserError) as error:
        build(name, pretrained="imagenet").load_pretrained()
    message = str(error.value)
    for words in ("IMAGENET1K_V", "no route to host", "download https://", "`pretrained: none`"):
        assert words in message


def test_published_weights_are_read_as_weights_only_and_checked(monkeypatch, checkpoints):
    asked = {}

    def serve(url, **options):
        asked.update(options, url=url)
        return checkpoints["resnet50"]

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", serve)
    model = build("resnet50", pretrained="imagenet")
    assert model.load_pretrained() == {"pretrained": "ResNet50_Weights.IMAGENET1K_V2"}
    assert asked["url"] == torchvision.models.ResNet50_Weights.IMAGENET1K_V2.url
    assert asked["check_hash"]
    assert asked["weights_only"]
    weight = model.encoder.state_dict()[A_WEIGHT["resnet50"]]
    assert torch.equal(weight, checkpoints["resnet50"][A_WEIGHT["resnet50"]])


def test_building_a_model_reads_no_checkpoint(in_folder):
    build("vgg16", pretrained="not there.pth")


FIRST = {
    "resnet50": "encoder.conv1.weight",
    "vgg16": "encoder.features.0.weight",
    "inception_v3": "encoder.Conv2d_1a_3x3.bn.running_var",
}


def changed(name, freeze):
    """Return which tensors of the encoder one step of training changes."""
    model = build(name, freeze=freeze).train()
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    optimiser = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1.0)
    model(torch.rand(4, 1, 24, 48)).mean().backward()
    optimiser.step()
    after = model.state_dict()
    return {key for key in before if not torch.equal(before[key], after[key])}


@pytest.mark.parametrize("name", NETWORKS)
def test_frozen_layers_stay_as_they_are(name):
    last = f"encoder.{A_WEIGHT[name]}"
    everything, upper, nothing = (changed(name, freeze) for freeze in ("none", "lower", "all"))
    assert {FIRST[name], last} <= everything
    assert FIRST[name] not in upper
    assert last in upper
    assert not any(key.startswith("encoder.") for key in nothing)
    assert any(key.startswith("decoder.") for key in nothing)


def test_wrong_settings_are_named():
    with pytest.raises(UserError, match=r"reconstructors\.vgg16\.freeze: .*'half'"):
        build("vgg16", freeze="half")


@pytest.mark.usefixtures("thin_encoders")
def test_a_run_is_not_resumed_with_other_weights_under_the_same_path(few_faces, monkeypatch):
    features = encoders.make_layers(encoders.cfgs["D"]).state_dict()

    def write(scale):
        save_file({f"features.{k}": v * scale for k, v in features.items()}, "w.safetensors")

    def run():
        entry = {"pretrained": "w.safetensors", "freeze": "none"}
        return run_reconstructor("vgg16", few_faces, settings(epochs=2), **entry)

    torch.manual_seed(0)
    write(1)
    with monkeypatch.context() as patch:
        interrupt_after(patch, 1)
        with pytest.raises(PowerCut):
            run()
    write(0.5)
    resumed = run()
    assert same(resumed, run())


def test_features_are_computed_once_and_kept(faces):
    model = build("vgg16", freeze="all").eval()
    calls = []
    model.encoder.register_forward_hook(lambda *_: calls.append(1))
    upper, rows = crop(faces.images)[0], np.array([2, 3, 90])
    first = keep_features("run", model.encoder, [], upper, rows, FLOAT32)
    assert len(calls) == 1
    again = keep_features("run", model.encoder, [], upper, rows, FLOAT32)
    assert len(calls) == 1
    assert list(first) == list(again) == ["feature_0"]
    first, again = first["feature_0"], again["feature_0"]
    np.testing.assert_array_equal(first, again)
    expected = model.encoder(torch.from_numpy(upper[rows] / np.float32(255)).unsqueeze(1))[0]
    np.testing.assert_allclose(first[rows], expected.detach(), rtol=2e-3, atol=1e-3)
    assert first.shape == (len(faces), 512, 3, 6)
    assert not first[4].any()
    nn.init.zeros_(model.encoder.features[0].weight)
    keep_features("run", model.encoder, [], upper, rows, FLOAT32)
    assert len(calls) == 3  # another encoder (the second call was the one just above)


def test_features_of_another_size_are_not_taken_for_ones_own(few_faces, monkeypatch):
    """Weights alone do not say at which size an encoder looks: both have the same ones."""
    # What they are called is what matters: none are computed, and nothing learns from them.
    monkeypatch.setattr("unmask.training.reconstructor._compute", lambda *_: None)
    interrupt_after(monkeypatch, 0)
    names = []
    for size in (75, 100):
        with pytest.raises(PowerCut):
            run_reconstructor(
                "inception_v3", few_faces, settings(flip=0.0), size=size,
                pretrained="none", freeze="all",
            )  # fmt: skip
        names.append({path.name for path in Path(".checkpoints").rglob("features/*")})
    assert len(names[1]) == len(names[0]) + 1 == 2


def test_features_are_kept_at_the_precision_of_training(few_faces):
    model = build("vgg16", freeze="all").eval()
    upper, rows = crop(few_faces.images)[0], np.arange(4)
    bf16 = Compute(torch.device("cpu"), "bf16")
    kept = keep_features("run", model.encoder, [], upper, rows, bf16)["feature_0"]
    faces = torch.from_numpy(upper[rows] / np.float32(255)).unsqueeze(1)
    with torch.no_grad(), bf16.autocast():
        (expected,) = model.encoder(faces)
    assert expected.dtype == torch.bfloat16
    np.testing.assert_array_equal(kept[rows], expected.to(torch.float16))
    precise = keep_features("run", model.encoder, [], upper, rows, FLOAT32)["feature_0"]
    assert (precise[rows] != kept[rows]).any()


@pytest.mark.usefixtures("thin_encoders")
def test_training_on_kept_features_is_training_on_faces(few_faces, monkeypatch):
    def losses():
        run_reconstructor("vgg16", few_faces, settings(epochs=3, flip=0.0))
        file = Path("data/training/reconstructors/vgg16/validation/loss.tsv")
        return np.loadtxt(file, skiprows=1)[:, 1]

    kept = losses()
    monkeypatch.setattr("unmask.models.encoders.Encoder.is_frozen", property(lambda self: False))
    computed = losses()
    # Not to the last digit: features are kept as float16.
    np.testing.assert_allclose(kept, computed, atol=2e-3)
    assert (kept != computed).any()


@pytest.mark.usefixtures("thin_encoders")
def test_features_are_not_kept_where_faces_change_from_epoch_to_epoch(few_faces, monkeypatch):
    def refuse(*_):
        raise AssertionError("features were kept")

    monkeypatch.setattr("unmask.training.reconstructor.keep_features", refuse)
    run_reconstructor("vgg16", few_faces, settings(epochs=1), train={"flip": 0.5})


@pytest.mark.parametrize(
    ("name", "freeze"),
    [("resnet50", "lower"), ("inception_v3", "lower"), ("efficientnet_lite0", "all")],
)
def test_frozen_layers_are_frozen_on_several_gpus_too(name, freeze):
    model = nn.SyncBatchNorm.convert_sync_batchnorm(build(name, freeze=freeze)).train()
    norms = [part for part in model.encoder.modules() if isinstance(part, nn.SyncBatchNorm)]
    assert norms
    for norm in norms:
        assert norm.training == norm.weight.requires_grad


def test_weights_that_the_pipeline_may_replace_are_refused(checkpoints):
    file = Path("models/readers/faces/1/weights.safetensors")
    file.parent.mkdir(parents=True)
    save_file(checkpoints["vgg16"], file)
    with pytest.raises(UserError, match=r"a model of the pipeline, .*; copy it to a name"):
        build("vgg16", pretrained=str(file)).load_pretrained()
    Path("weights").mkdir()
    file.rename("weights/faces.safetensors")
    assert build("vgg16", pretrained="weights/faces.safetensors").load_pretrained()

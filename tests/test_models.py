"""Every reconstructor and classifier, as the shipped parameters build them."""

from itertools import product
from pathlib import Path

import pytest
import torch
import yaml

from unmask.core.errors import UserError
from unmask.models.folder import build, classifier_config, reconstructor_config
from unmask.params.models import Reconstructor

PARAMS = yaml.safe_load((Path(__file__).parents[1] / "params.yaml").read_text())
RECONSTRUCTORS = {
    name: Reconstructor.model_validate(entry).settings
    for name, entry in PARAMS["reconstructors"].items()
}
NOT_SHIPPED = {"flow": {"width": 8, "steps": 2}, "efficientnet_lite0": {"width": 4}}
RECONSTRUCTORS |= NOT_SHIPPED
CLASSIFIERS = PARAMS["classifiers"]


def build_reconstructor(name, settings=None):
    settings = RECONSTRUCTORS[name] if settings is None else settings
    return build(reconstructor_config(name, settings))


def build_classifier(name, shape, **changes):
    return build(classifier_config(name, CLASSIFIERS[name] | changes, "whole", shape))


@pytest.mark.parametrize("name", RECONSTRUCTORS)
def test_a_reconstructor_maps_upper_to_lower_halves(name):
    model = build_reconstructor(name).eval()
    for make, batch in product((torch.rand, torch.zeros), (1, 3)):
        lower = model(make(batch, 1, 24, 48))
        assert lower.shape == (batch, 1, 24, 48)
        assert lower.min() >= 0
        assert lower.max() <= 1


@pytest.mark.parametrize("name", RECONSTRUCTORS)
def test_a_face_is_reconstructed_without_regard_to_its_batch(name):
    model = build_reconstructor(name).eval()
    upper = torch.rand(4, 1, 24, 48)
    torch.testing.assert_close(model(upper)[2:3], model(upper[2:3]))


def test_a_unet_starts_without_a_pattern_of_dots():
    spreads = []
    for seed in range(4):
        torch.manual_seed(seed)
        # Away from the edges, whose padding makes a difference of its own.
        lower = build_reconstructor("unet").train()(torch.rand(64, 1, 24, 48))[..., 4:20, 8:40]
        means = [lower[..., row::2, column::2].mean() for row in (0, 1) for column in (0, 1)]
        spreads.append(float(max(means) - min(means)))
    assert sum(spreads) / 4 < 0.007  # 0.024 from noise


def same_seed(build_model):
    """Return the weights that the same seed builds twice."""
    states = []
    for _ in range(2):
        torch.manual_seed(1)
        states.append(build_model().state_dict())
    return states


# Of those that are shipped, test_training.py compares trained weights.
@pytest.mark.parametrize("name", NOT_SHIPPED)
def test_the_same_seed_builds_the_same_weights(name):
    first, second = same_seed(lambda: build_reconstructor(name))
    for key, tensor in first.items():
        assert torch.equal(tensor, second[key])


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_the_same_seed_builds_the_same_classifier(name):
    first, second = same_seed(lambda: build_classifier(name, (48, 48)))
    for key, tensor in first.items():
        assert torch.equal(tensor, second[key])


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("height", [24, 48])
def test_a_classifier_reads_half_and_whole_faces(name, height):
    model = build_classifier(name, (height, 48)).eval()
    for make, batch in product((torch.rand, torch.zeros), (1, 3)):
        logits = model(make(batch, 1, height, 48))
        assert logits.shape == (batch, 7)
        assert torch.isfinite(logits).all()


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("height", [24, 48])
def test_a_face_is_classified_without_regard_to_its_batch(name, height):
    model = build_classifier(name, (height, 48)).eval()
    faces = torch.rand(4, 1, height, 48)
    torch.testing.assert_close(model(faces)[2:3], model(faces[2:3]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_weight_of_a_classifier_learns(name):
    model = build_classifier(name, (48, 48), dropout=0.0).train()
    model(torch.rand(16, 1, 48, 48)).logsumexp(1).sum().backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.any(), key


def test_the_classifier_of_the_paper_has_its_three_convolutions():
    model = build_classifier("paper_cnn", (48, 48))
    convolutions = [m for m in model.modules() if isinstance(m, torch.nn.Conv2d)]
    assert [m.out_channels for m in convolutions] == [32, 64, 128]
    assert any(isinstance(m, torch.nn.MaxPool2d) for m in model.modules())
    assert any(isinstance(m, torch.nn.Dropout) for m in model.modules())


def test_the_same_weights_of_the_residual_network_read_half_and_whole_faces():
    half, whole = (build_classifier("resnet", (height, 48)).eval() for height in (24, 48))
    half.load_state_dict(whole.state_dict())
    faces = torch.rand(2, 1, 48, 48)
    for model in (half, whole):
        assert model(faces).shape == model(faces[:, :, :24]).shape == (2, 7)
    assert torch.equal(half(faces), whole(faces))
    assert not torch.equal(whole(faces), whole(faces[:, :, :24]))


def convolutions_of(**settings):
    model = build_classifier("resnet", (48, 48), **settings)
    return [m for m in model.modules() if isinstance(m, torch.nn.Conv2d)]


@pytest.mark.parametrize("width", [4, 64])
def test_the_width_of_the_residual_network_is_a_setting(width):
    channels = [m.out_channels for m in convolutions_of(width=width)]
    assert channels[0] == width
    assert set(channels) == {width, 2 * width, 4 * width, 8 * width}


@pytest.mark.parametrize(("blocks", "layers"), [(1, 9), (2, 17)])
def test_blocks_deepen_the_residual_network(blocks, layers):
    # Without the 1x1 convolutions of shortcuts; with the last layer, two blocks are the 18 layers
    # of a ResNet18.
    found = [m for m in convolutions_of(width=4, blocks=blocks) if m.kernel_size == (3, 3)]
    assert len(found) == layers


def test_the_stages_of_the_residual_network_halve_the_face():
    model, sizes = build_classifier("resnet", (24, 48), width=4).eval(), []
    for layer in model.features:
        layer.register_forward_hook(lambda *args: sizes.append(tuple(args[-1].shape[1:])))
    model(torch.rand(1, 1, 24, 48))
    assert list(dict.fromkeys(sizes)) == [(4, 24, 48), (8, 12, 24), (16, 6, 12), (32, 3, 6)]


@pytest.mark.parametrize("settings", [{"widht": 3}, {"width": 0}, {"width": "wide"}])
def test_a_wrong_setting_of_a_reconstructor_is_named(settings):
    with pytest.raises(
        UserError, match=rf"^params\.yaml: reconstructors\.unet\.{next(iter(settings))}: "
    ):
        build_reconstructor("unet", settings)


@pytest.mark.parametrize("settings", [{"widht": 3}, {"width": 0}, {"blocks": "two"}])
def test_a_wrong_setting_of_a_classifier_is_named(settings):
    with pytest.raises(
        UserError, match=rf"^params\.yaml: classifiers\.resnet\.{next(iter(settings))}: "
    ):
        build_classifier("resnet", (48, 48), **settings)


@pytest.mark.parametrize("name", ["parts", "__init__", "../models/blocks", "UNet", ""])
def test_what_is_no_reconstructor_cannot_be_named_as_one(name):
    with pytest.raises(UserError, match=r"^params\.yaml: .*: no file src/unmask/reconstructors/"):
        build_reconstructor(name, {})


def test_a_file_that_builds_no_model_cannot_be_named_as_one(monkeypatch):
    monkeypatch.delattr("unmask.reconstructors.mirror.build")
    with pytest.raises(UserError) as error:
        build_reconstructor("mirror", {})
    message = str(error.value)
    assert message.startswith(
        "params.yaml: mirror: not a valid reconstructor; choose one of cgan, cgan_resnet, "
    )
    assert "\n" not in message

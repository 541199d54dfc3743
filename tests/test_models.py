"""Every reconstructor and classifier, as the shipped parameters build them."""

from pathlib import Path

import pytest
import torch
import yaml

from unmask.core.errors import UserError
from unmask.models.folder import build_classifier, build_reconstructor
from unmask.params.models import Named, Reconstructor

PARAMS = yaml.safe_load((Path(__file__).parents[1] / "params.yaml").read_text())
RECONSTRUCTORS = {
    name: Reconstructor.model_validate(entry) for name, entry in PARAMS["reconstructors"].items()
}
CLASSIFIER = Named.model_validate(PARAMS["classifier"])


@pytest.mark.parametrize("name", RECONSTRUCTORS)
@pytest.mark.parametrize("batch", [1, 3])
def test_a_reconstructor_maps_upper_to_lower_halves(name, batch):
    model = build_reconstructor(name, RECONSTRUCTORS[name]).eval()
    for upper in (torch.rand(batch, 1, 24, 48), torch.zeros(batch, 1, 24, 48)):
        lower = model(upper)
        assert lower.shape == (batch, 1, 24, 48)
        assert lower.min() >= 0
        assert lower.max() <= 1


@pytest.mark.parametrize("name", RECONSTRUCTORS)
def test_a_face_is_reconstructed_without_regard_to_its_batch(name):
    model = build_reconstructor(name, RECONSTRUCTORS[name]).eval()
    upper = torch.rand(4, 1, 24, 48)
    torch.testing.assert_close(model(upper)[2:3], model(upper[2:3]))


@pytest.mark.parametrize("name", RECONSTRUCTORS)
def test_the_same_seed_builds_the_same_weights(name):
    states = []
    for seed in (1, 1):
        torch.manual_seed(seed)
        states.append(build_reconstructor(name, RECONSTRUCTORS[name]).state_dict())
    for key, tensor in states[0].items():
        assert torch.equal(tensor, states[1][key])


@pytest.mark.parametrize("height", [24, 48])
def test_the_classifier_reads_half_and_whole_faces(height):
    model = build_classifier(CLASSIFIER, (height, 48)).eval()
    assert model(torch.rand(3, 1, height, 48)).shape == (3, 7)


def test_the_classifier_of_the_paper_has_its_three_convolutions():
    model = build_classifier(CLASSIFIER, (48, 48))
    convolutions = [m for m in model.modules() if isinstance(m, torch.nn.Conv2d)]
    assert [m.out_channels for m in convolutions] == [32, 64, 128]
    assert any(isinstance(m, torch.nn.MaxPool2d) for m in model.modules())
    assert any(isinstance(m, torch.nn.Dropout) for m in model.modules())


@pytest.mark.parametrize("settings", [{"widht": 3}, {"width": 0}, {"width": "wide"}])
def test_a_wrong_setting_of_a_reconstructor_is_named(settings):
    entry = Reconstructor.model_validate({"objective": {"name": "supervised"}, **settings})
    with pytest.raises(
        UserError, match=rf"^params\.yaml: reconstructors\.unet\.{next(iter(settings))}: "
    ):
        build_reconstructor("unet", entry)


def test_what_is_no_reconstructor_cannot_be_named_as_one():
    entry = Reconstructor.model_validate({"objective": {"name": "supervised"}})
    with pytest.raises(UserError, match=r"^params\.yaml: parts: cannot be named here"):
        build_reconstructor("parts", entry)

"""VGG16 as a classifier: sizes, what it starts from, and that a reader can be made of it."""

import pytest
import torch
from runs import run_classifier, settings
from safetensors.torch import save_file

from unmask.core.files import read_json
from unmask.models.folder import build, classifier_config
from unmask.params.models import Named


def classifier(height=24, **params):
    torch.manual_seed(0)
    return build(classifier_config("vgg16", params, "upper", (height, 48))).eval()


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("height", [24, 48])
def test_the_same_weights_read_halves_and_whole_faces_at_any_scale(scale, height):
    with torch.inference_mode():
        assert classifier(scale=scale)(torch.rand(2, 1, height, 48)).shape == (2, 7)


def test_enlarged_faces_are_read_otherwise():
    faces = torch.rand(2, 1, 24, 48)
    with torch.inference_mode():
        assert not torch.allclose(classifier()(faces), classifier(scale=2)(faces))


@pytest.mark.usefixtures("in_folder")
def test_it_starts_from_a_checkpoint_and_says_so(few_faces):
    given = {k: torch.rand_like(v) * 1e-3 for k, v in classifier().encoder.state_dict().items()}
    save_file(given, "vgg16.safetensors")
    entry = Named.model_validate({"name": "vgg16", "pretrained": "vgg16.safetensors"})
    train = settings(epochs=1, learning_rate=1e-9)
    learned = run_classifier(few_faces, train, classifier=entry)
    assert (
        abs(learned["encoder.features.0.weight"] - given["features.0.weight"].numpy()).max() < 1e-6
    )
    facts = read_json("models/ceiling/training.json")
    assert facts["pretrained"] == "vgg16.safetensors"
    assert len(facts["pretrained_sha256"]) == 64

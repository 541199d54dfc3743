"""Published networks as classifiers: sizes, what they start from, and what can start from them."""

import numpy as np
import pytest
import torch
from runs import run_classifier, settings
from safetensors.torch import save_file

from unmask.core.files import read_json
from unmask.models.folder import (
    build,
    classifier_config,
    load_model,
    reconstructor_config,
    save_model,
)
from unmask.params.models import Named
from unmask.training.run import load_pretrained


def classifier(height=24, name="vgg16", **params):
    torch.manual_seed(0)
    return build(classifier_config(name, params, "upper", (height, 48))).eval()


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


@pytest.mark.usefixtures("in_folder", "thin_encoders")
def test_a_reconstructor_starts_from_the_encoder_of_a_classifier_of_faces(tmp_path):
    config = classifier_config("resnet50", {}, "whole", (48, 48))
    torch.manual_seed(1)
    save_model(build(config), config, tmp_path)
    learned = load_model(tmp_path).eval()
    with torch.inference_mode():
        assert learned(torch.rand(2, 1, 48, 48)).shape == (2, 7)
    entry = {"pretrained": str(tmp_path / "weights.safetensors"), "width": 2}
    started = build(reconstructor_config("resnet50", entry))
    facts = load_pretrained(started)
    for key, tensor in learned.encoder.state_dict().items():
        assert np.array_equal(started.encoder.state_dict()[key], tensor), key
    assert facts["pretrained"] == f"{entry['pretrained']} (names without encoder.)"

"""Ensembles: the mean of probabilities, as a model folder like any other."""

import pytest
import torch

import unmask
from unmask.core.errors import UserError
from unmask.models.folder import build, classifier_config, save_model

MEMBERS = [
    {"architecture": "resnet", "settings": {"width": 2, "blocks": 1, "dropout": 0.0}},
    {
        "architecture": "paper_cnn",
        "settings": {"filters": [2], "hidden": 4, "dropout": 0.0, "dense_dropout": 0.5},
    },
]


def config(members=MEMBERS):
    return classifier_config("ensemble", {"members": members}, "upper", (24, 48))


def test_the_mean_of_the_members_probabilities_is_read_back(tmp_path):
    model = build(config()).eval()
    save_model(model, config(), tmp_path)
    faces = torch.rand(5, 1, 24, 48)
    expected = torch.stack([member(faces).softmax(1) for member in model.members]).mean(0)
    with torch.no_grad():
        logits = unmask.load(tmp_path)(faces)
    torch.testing.assert_close(logits.softmax(1), expected)
    torch.testing.assert_close(logits.exp(), expected)
    assert {key.split(".")[1] for key in model.state_dict()} == {"0", "1"}


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([], "members: "),
        ([{"architecture": "ensemble", "settings": {"members": MEMBERS}}], "within an ensemble"),
        ([{"architecture": "foo", "settings": {}}], "foo: no file src/unmask/classifiers/foo.py"),
        (
            [{"architecture": "resnet", "settings": {"deep": 3}}],
            "members.0: settings.deep: unknown",
        ),
    ],
)
def test_a_mistake_in_its_members_is_named(members, words):
    with pytest.raises(UserError, match=words) as error:
        build(config(members))
    assert "\n" not in str(error.value)

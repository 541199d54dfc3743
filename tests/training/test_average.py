"""The average of the weights over the steps: what it is, and that it is what gets judged."""

import json
from pathlib import Path

import pytest
import torch
from runs import run_classifier, run_reconstructor, same, settings
from safetensors.torch import load_file
from torch import nn

from unmask.training import average
from unmask.training.average import Average

pytestmark = pytest.mark.usefixtures("in_folder")


def test_it_is_the_mean_at_first_and_forgets_later():
    model = nn.Linear(2, 1)
    averaged, expected = Average(model, decay=0.75), None
    for step in range(1, 11):
        with torch.no_grad():
            model.weight.copy_(torch.tensor([[step**2.0, -step]]))
        averaged.follow(model)
        share = max(1 / step, 0.25)
        latest = model.weight.detach().clone()
        expected = latest if expected is None else (1 - share) * expected + share * latest
        if step == 4:
            torch.testing.assert_close(expected, torch.tensor([[30 / 4, -10 / 4]]))
        torch.testing.assert_close(averaged.model.weight, expected)


def test_running_statistics_are_averaged_and_counts_are_copied():
    model = nn.BatchNorm1d(1)
    averaged, means = Average(model, decay=0.99), []
    for value in (1.0, 5.0, 6.0):
        model(torch.full((4, 1), value))
        means.append(model.running_mean.clone())
        averaged.follow(model)
    torch.testing.assert_close(averaged.model.running_mean, torch.stack(means).mean(0))
    assert averaged.model.num_batches_tracked == 3


def test_what_was_judged_is_as_it_was_before():
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    averaged = Average(model, decay=0.9)
    for _ in range(3):
        model(torch.rand(4, 2))
        nn.init.normal_(model[0].weight)
        averaged.follow(model)
    before = [{k: v.clone() for k, v in m.state_dict().items()} for m in (model, averaged.model)]
    with averaged.judged(model):
        assert all(torch.equal(value, before[1][key]) for key, value in model.state_dict().items())
    for module, state in zip((model, averaged.model), before, strict=True):
        assert all(torch.equal(value, state[key]) for key, value in module.state_dict().items())


def test_the_average_is_judged_and_saved(faces, monkeypatch):
    steps = []
    follow = Average.follow

    def noting(self, model):
        steps.append({k: v.detach().clone() for k, v in model.state_dict().items()})
        follow(self, model)

    monkeypatch.setattr(average.Average, "follow", noting)
    run_classifier(faces, settings(epochs=3, average=0.99999))
    saved = load_file("models/ceiling/weights.safetensors")
    best = json.loads(Path("models/ceiling/training.json").read_text())["best_epoch"]
    seen = steps[: len(steps) * best // 3]
    for name, tensor in saved.items():
        expected = torch.stack([step[name].float() for step in seen]).mean(0)
        torch.testing.assert_close(tensor, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["unet", "cgan"])
def test_a_reconstructor_is_averaged_too(few_faces, name):
    plain = run_reconstructor(name, few_faces, settings(epochs=2, batch_size=8))
    averaged = run_reconstructor(name, few_faces, settings(epochs=2, batch_size=8, average=0.9))
    assert plain.keys() == averaged.keys()
    assert not same(plain, averaged)


def test_the_average_changes_nothing_of_what_is_learned(faces):
    run_classifier(faces, settings(epochs=2))
    plain = json.loads(Path("models/ceiling/training.json").read_text())["history"]
    run_classifier(faces, settings(epochs=2, average=0.9))
    averaged = json.loads(Path("models/ceiling/training.json").read_text())["history"]
    for first, second in zip(plain, averaged, strict=True):
        assert first["train/loss"] == second["train/loss"]
        assert first["validation/loss"] != second["validation/loss"]

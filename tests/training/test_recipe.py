"""All settings of training together: they resume, reach every process, and are refused in time."""

import json
from pathlib import Path

import pytest
from runs import (
    EVERYTHING,
    PowerCut,
    contents,
    interrupt_after,
    run_classifier,
    run_reconstructor,
    same,
    settings,
    train_entry,
)

from unmask.core.errors import UserError
from unmask.core.section import check
from unmask.params.models import Train
from unmask.training import loop

pytestmark = pytest.mark.usefixtures("in_folder")


@pytest.mark.parametrize(
    ("name", "optimiser"),
    [("ceiling", "adamw"), ("ceiling", "sgd"), ("unet", "adamw"), ("cgan", "adamw")],
)
def test_an_interrupted_run_with_everything_ends_like_one_that_was_not(
    few_faces, monkeypatch, name, optimiser
):
    train = settings(batch_size=4, **EVERYTHING | {"optimiser": optimiser})

    def run():
        return run_classifier(few_faces, train) if name == "ceiling" else run_reconstructor(
            name, few_faces, train
        )  # fmt: skip

    run()
    expected = contents("models"), contents("data/training")
    with monkeypatch.context() as patch:
        interrupt_after(patch, 2)
        with pytest.raises(PowerCut):
            run()
    assert list(Path(".checkpoints").rglob("last.safetensors"))
    run()
    assert (contents("models"), contents("data/training")) == expected


@pytest.fixture(scope="module")
def plain():
    """What is learned without any of the settings; filled by the first test that asks."""
    return {}


@pytest.mark.parametrize("name", [name for name in EVERYTHING if name != "optimiser"])
def test_every_setting_changes_what_is_learned(few_faces, plain, name):
    still = {"epochs": 2, "batch_size": 8, "flip": 0.0}
    if not plain:
        plain |= run_classifier(few_faces, settings(**still))
    changed = settings(**still | {name: EVERYTHING[name]})
    assert not same(plain, run_classifier(few_faces, changed))


def test_the_learning_rate_rises_step_by_step_and_then_follows_the_schedule(faces, monkeypatch):
    rates = []

    def noting(step, device, capture):
        def taken(inputs):
            (group,) = optimisers[0].param_groups
            rates.append(group["lr"])
            return step(inputs)

        return taken

    optimisers = []
    place = loop._place

    def placing(objective, *others):
        optimisers[:] = objective.optimisers
        place(objective, *others)

    monkeypatch.setattr(loop, "GraphedStep", noting)
    monkeypatch.setattr(loop, "_place", placing)
    run_classifier(faces, settings(epochs=3, batch_size=42, warmup=1.5, learning_rate=0.3))
    # Two steps and one batch of validation in each epoch.
    learned = [rate for number, rate in enumerate(rates) if number % 3 < 2]
    warming = [0.5 / 1.5, 1.0 / 1.5, 1.0, 1.0, 1.0, 1.0]
    cosine = [1.0, 1.0, 0.75, 0.75, 0.25, 0.25]
    expected = [0.3 * w * c for w, c in zip(warming, cosine, strict=True)]
    assert learned == pytest.approx(expected)


def test_what_validation_says_is_of_faces_and_labels_as_they_are(faces):
    still = {"epochs": 1, "flip": 0.0, "learning_rate": 1e-12}
    run_classifier(faces, settings(**still))
    plain = json.loads(Path("models/ceiling/training.json").read_text())["best"]
    run_classifier(faces, settings(**still, erasing=1.0, mixup=1.0, label_smoothing=0.3))
    found = json.loads(Path("models/ceiling/training.json").read_text())["best"]
    assert found["validation/loss"] == pytest.approx(plain["validation/loss"], abs=1e-6)
    assert found["train/loss"] != pytest.approx(plain["train/loss"], abs=1e-3)


@pytest.mark.parametrize("name", ["erasing", "mixup", "label_smoothing"])
def test_what_only_classifiers_learn_by_is_refused_for_reconstructors(faces, name):
    train = settings().model_dump()
    train["reconstructor"][name] = 0.1
    with pytest.raises(UserError, match=f"train.reconstructor.{name}: 0.1, but only classifiers"):
        check(Train, train, "train")
    entry = {"objective": {"name": "supervised"}, "train": {name: 0.1}, "width": 2}
    with pytest.raises(UserError, match=f"unet.train.{name}: 0.1, but only classifiers"):
        train_entry("unet", entry, faces, settings())


@pytest.mark.parametrize(
    "wrong", [{"optimiser": "lion"}, {"average": 1.0}, {"mixup": -0.1}, {"label_smoothing": 1.0}]
)
def test_an_impossible_setting_is_named(wrong):
    (name,) = wrong
    train = settings().model_dump()
    train["classifier"] |= wrong
    with pytest.raises(UserError, match=f"params.yaml: train.classifier.{name}: ") as caught:
        check(Train, train, "train")
    assert "\n" not in str(caught.value)

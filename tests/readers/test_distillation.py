"""Distillation: who teaches which face, what the student learns, and from which view."""

import numpy as np
import pytest
import torch
from runs import settings

from unmask.core.errors import UserError
from unmask.models.folder import build as build_model
from unmask.models.folder import classifier_config, load_model, save_model
from unmask.objectives.distillation import Params, build
from unmask.training.process_group import Compute

FOLDS = 3
RESNET = {"width": 2, "blocks": 1, "dropout": 0.0}
PAPER_CNN = {"filters": [2, 2], "hidden": 5, "dropout": 0.0, "dense_dropout": 0.0}


def saved(folder, name="resnet", view="whole", seed=0):
    """Write an untrained classifier; return its folder."""
    torch.manual_seed(seed)
    shape = (24, 48) if view == "upper" else (48, 48)
    config = classifier_config(name, {"resnet": RESNET, "paper_cnn": PAPER_CNN}[name], view, shape)
    folder.mkdir()
    save_model(build_model(config), config, folder)
    return str(folder)


@pytest.fixture
def teachers(tmp_path):
    return [saved(tmp_path / str(seed), seed=seed) for seed in range(FOLDS)]


def objective(teachers, device="cpu", **params):
    torch.manual_seed(9)
    config = classifier_config("resnet", RESNET, "upper", (24, 48))
    training = settings(schedule="constant", flip=0.0, learning_rate=0.01).classifier
    compute = Compute(torch.device(device), "float32")
    learning = build(
        build_model(config), Params(view="upper", teachers=teachers, **params), training, compute
    )
    for module in learning.frozen.values():  # as the loop does
        module.eval().requires_grad_(False)
    learning.model.eval()
    return learning


def batch(fold=None, count=12):
    random = np.random.default_rng(0)
    faces = random.integers(0, 256, (count, 1, 48, 48), np.uint8)
    made = {"face": faces, "label": random.integers(0, 7, count, np.uint8)}
    if fold is not None:
        made["fold"] = np.resize(np.array(fold, np.uint8), count)
    return {name: torch.from_numpy(array) for name, array in made.items()}


def posteriors(teachers, faces, heat):
    """Return what each teacher thinks of whole faces, by independent code: [K,B,7]."""
    with torch.no_grad():
        logits = [load_model(folder)(faces.float() / 255) for folder in teachers]
    return torch.stack([(each / heat).softmax(1) for each in logits])


def measured(learning, given):
    """Return the figures of a batch as the loop would get them."""
    return learning.measure(given | learning.known(given))


def loss_by_hand(learning, given, taught, weight, heat):
    logits = learning.model(given["face"][:, :, :24].float() / 255)
    hard = torch.nn.functional.cross_entropy(logits, given["label"].long())
    soft = (taught * (taught.log() - (logits / heat).log_softmax(1))).sum(1).mean()
    return (1 - weight) * hard + weight * heat**2 * soft


@pytest.mark.parametrize(("weight", "heat"), [(0.0, 1.0), (0.8, 3.0), (1.0, 1.0)])
def test_the_loss_is_that_of_labels_and_of_the_mean_of_all_teachers(teachers, weight, heat):
    learning, given = objective(teachers, weight=weight, temperature=heat), batch()
    taught = posteriors(teachers, given["face"], heat).mean(0)
    figures = measured(learning, given)
    assert figures["loss"].item() == pytest.approx(
        loss_by_hand(learning, given, taught, weight, heat).item(), rel=1e-5
    )


def test_cross_fitted_each_face_is_taught_by_the_teacher_of_its_fold(teachers):
    fold = [0, 1, 2, 255]  # the last is a validation face
    learning = objective(teachers, weight=1.0, cross_fitted=True)
    given = batch(fold)
    all_of_them = posteriors(teachers, given["face"], 1.0)
    taught = torch.stack([
        all_of_them[number, face] if number < FOLDS else all_of_them[:, face].mean(0)
        for face, number in enumerate(given["fold"].tolist())
    ])  # fmt: skip
    expected = loss_by_hand(learning, given, taught, 1.0, 1.0)
    assert measured(learning, given)["loss"].item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_teacher_never_looks_at_faces_of_another_fold(teachers):
    learning = objective(teachers, cross_fitted=True)
    looked = []
    for name, teacher in learning.frozen.items():
        teacher.register_forward_pre_hook(
            lambda _, inputs, name=name: looked.append((name, len(inputs[0])))
        )
    measured(learning, batch([0, 0, 2]))
    assert looked == [("teacher_0", 8), ("teacher_2", 4)]


def test_faces_of_several_steps_can_be_asked_for_at_once(teachers):
    learning = objective(teachers, weight=0.7, features=0.5, cross_fitted=True)
    given = batch([0, 1, 2, 255])
    known = learning.known(given)
    for half in (slice(0, 6), slice(6, 12)):
        part = {name: values[half] for name, values in given.items()}
        for name, values in learning.known(part).items():
            torch.testing.assert_close(values, known[name][half])


def test_the_student_is_not_shown_the_lower_half(teachers):
    learning, given = objective(teachers, weight=0.0), batch()
    other = {**given, "face": given["face"].clone()}
    other["face"][:, :, 24:] = 0
    assert measured(learning, given)["loss"] == measured(learning, other)["loss"]
    taught = objective(teachers, weight=1.0)
    assert measured(taught, given)["loss"] != measured(taught, other)["loss"]


def test_the_student_learns_and_the_teachers_do_not(teachers):
    learning, given = objective(teachers, weight=1.0, cross_fitted=True), batch([0, 1, 2])
    before = [each.state_dict() for each in learning.frozen.values()]
    before = [{key: value.clone() for key, value in state.items()} for state in before]
    losses = [learning.train_step(given | learning.known(given))["loss"].item() for _ in range(30)]
    assert losses[-1] < 0.5 * losses[0]
    for state, teacher in zip(before, learning.frozen.values(), strict=True):
        assert all(torch.equal(value, state[key]) for key, value in teacher.state_dict().items())


@pytest.mark.parametrize("name", ["resnet", "paper_cnn"])
def test_features_of_any_width_come_closer(tmp_path, name):
    learning = objective([saved(tmp_path / "teacher", name)], weight=0.0, features=1.0)
    given = batch()
    without = measured(objective([str(tmp_path / "teacher")], weight=0.0), given)["loss"]
    apart = measured(learning, given)["loss"] - without
    for _ in range(30):
        learning.train_step(given | learning.known(given))
    hard = loss_by_hand(learning, given, torch.ones(12, 7) / 7, 0.0, 1.0)
    assert 0 < measured(learning, given)["loss"] - hard < 0.5 * apart < 1
    assert set(learning.helpers) == {"maps"}


def test_an_ensemble_teaches_by_each_of_its_networks(teachers, tmp_path):
    config = classifier_config(
        "ensemble", {"members": [{"architecture": "resnet", "settings": RESNET}] * FOLDS},
        "whole", (48, 48),
    )  # fmt: skip
    model = build_model(config)
    for own, folder in zip(model.members, teachers, strict=True):
        own.load_state_dict(load_model(folder).state_dict())
    (tmp_path / "ensemble").mkdir()
    save_model(model, config, tmp_path / "ensemble")
    together = measured(objective([str(tmp_path / "ensemble")]), batch())
    assert together["loss"].item() == pytest.approx(
        measured(objective(teachers), batch())["loss"].item()
    )


def test_an_absent_teacher_is_named():
    with pytest.raises(UserError, match="nowhere: no such folder"):
        objective(["nowhere"])

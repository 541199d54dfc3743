"""Training runs: what they write, what ends them, and how they go on after an interruption."""

import errno
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from runs import (
    CLASSIFIER,
    LEARNING,
    RECONSTRUCTORS,
    PowerCut,
    contents,
    interrupt_after,
    run_classifier,
    run_reconstructor,
    same,
    save_every_epoch,
    settings,
    train_entry,
    trained,
)
from safetensors.numpy import load_file
from torch.nn import functional

from unmask.core.errors import UserError
from unmask.core.faces import HIDDEN, TEST, TRAIN, VALIDATION, FaceSet
from unmask.core.mask import crop
from unmask.models.batches import to_unit
from unmask.models.folder import build, classifier_config, load_tensors
from unmask.training import checkpoint, record
from unmask.training.objective import SingleLoss
from unmask.training.record import Record
from unmask.training.run import Inputs, begin, train_and_save

pytestmark = pytest.mark.usefixtures("in_folder")


def test_a_classifier_learns(faces):
    run_classifier(faces, settings(epochs=40, patience=40, learning_rate=0.01))
    training = json.loads(Path("models/ceiling/training.json").read_text())
    assert training["best"]["validation/accuracy"] > 0.6


def test_a_run_leaves_weights_facts_and_curves_and_no_checkpoint(faces):
    run_classifier(faces, settings())
    training = json.loads(Path("models/ceiling/training.json").read_text())
    assert training["epochs"] == 4
    assert 1 <= training["best_epoch"] <= 4
    assert sum(training["training_faces"].values()) == 84
    weights = load_file("models/ceiling/weights.safetensors")
    assert training["parameters"] == sum(tensor.size for tensor in weights.values())
    assert training["parameters"] == training["trained_parameters"]
    seconds = json.loads(Path("logs/ceiling.json").read_text())["seconds_per_epoch"]
    assert len(seconds) == 4
    curve = Path("data/training/ceiling/validation/accuracy.tsv").read_text().splitlines()
    assert curve[0].split("\t") == ["step", "accuracy"]
    assert [line.split("\t")[0] for line in curve[1:]] == ["1", "2", "3", "4"]
    values = [float(line.split("\t")[1]) for line in curve[1:]]
    assert max(values) == pytest.approx(training["best"]["validation/accuracy"])
    assert [epoch["validation/accuracy"] for epoch in training["history"]] == values
    assert not list(Path(".checkpoints").rglob("*.safetensors"))


def test_a_repository_without_a_commit_is_enough(faces):
    for command in (["git", "init"], [sys.executable, "-m", "dvc", "init"]):
        subprocess.run([*command, "--quiet"], check=True)
    run_classifier(faces, settings(epochs=1))
    assert Path("data/training/ceiling/train/loss.tsv").exists()


@pytest.mark.usefixtures("thin_encoders")
@pytest.mark.parametrize("name", RECONSTRUCTORS)
def test_the_same_seed_gives_the_same_reconstructor_and_pictures(few_faces, name):
    first = run_reconstructor(name, few_faces, settings(epochs=1, batch_size=8))
    assert same(first, run_reconstructor(name, few_faces, settings(epochs=1, batch_size=8)))
    assert (Path("data/training/reconstructors") / name / "pictures/epoch_001.png").exists()


@pytest.mark.usefixtures("thin_encoders")
@pytest.mark.parametrize("name", LEARNING)
def test_a_reconstructor_learns(faces, few_faces, name):
    # Large steps on a few faces do, but for these two.
    steady = name in ("cnn_simple", "inception_v3")
    faces = faces if steady else few_faces
    epochs = 6 if name == "resnet50_deep" else 5
    quick = {"epochs": epochs, "batch_size": 2, "learning_rate": 0.01}
    images = np.array(faces.images)
    images[:, :24] = images[:, :23:-1]  # the upper half tells all about the lower one
    told = FaceSet(images, faces.labels, faces.split, faces.row)
    run_reconstructor(name, told, settings(epochs=8) if steady else settings(**quick))
    curve = Path(f"data/training/reconstructors/{name}/validation/loss.tsv").read_text().split()
    assert float(curve[-1]) < 0.95 * float(curve[3])


def test_the_mean_face_is_the_mean_of_the_training_faces(faces):
    weights = run_reconstructor("mean_face", faces, settings())
    expected = crop(faces.images[faces.split == 0])[1].mean(axis=0) / 255
    np.testing.assert_allclose(weights["mean"][0, 0], expected, atol=1e-6)


def test_the_mirror_is_the_upper_half_upside_down(faces):
    run_reconstructor("mirror", faces, settings())
    upper = torch.rand(2, 1, 24, 48)
    assert torch.equal(trained("mirror")(upper), upper.flip(2))


def test_the_nearest_face_is_another_face(faces):
    run_reconstructor("nearest", faces, settings(epochs=1, flip=0.0))
    upper, lower = (half / np.float32(255) for half in crop(faces.images))
    train = np.flatnonzero(faces.split == 0)
    model = trained("nearest")
    for row in (0, 7, 100):
        errors = ((upper[train] - upper[row]) ** 2).sum((1, 2))
        errors[train == row] = np.inf
        expected = lower[train[errors.argmin()]]
        generated = model(torch.from_numpy(upper[row])[None, None])
        np.testing.assert_allclose(generated[0, 0], expected, atol=1e-6)


def test_gradients_are_clipped(few_faces):
    free = run_reconstructor("unet", few_faces, settings(epochs=1))
    loose = run_reconstructor("unet", few_faces, settings(epochs=1, gradient_clip=1e6))
    tight = run_reconstructor("unet", few_faces, settings(epochs=1, gradient_clip=1e-3))
    assert same(free, loose)
    assert not same(free, tight)


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(faces):
    first, second = run_classifier(faces, settings()), run_classifier(faces, settings())
    other = run_classifier(faces, settings(seed=2))
    assert same(first, second)
    assert not same(first, other)


def test_training_ends_when_validation_stands_still(faces):
    run_classifier(faces, settings(epochs=30, patience=2, learning_rate=1e-9))
    training = json.loads(Path("models/ceiling/training.json").read_text())
    assert training["epochs"] == training["best_epoch"] + 2 < 30


def test_the_labels_of_the_test_split_play_no_part(faces):
    assert set(faces.labels[faces.split == TEST]) == {HIDDEN}
    unsealed = faces.unsealed("faces/test_labels.npy")
    assert set(unsealed.labels[faces.split == TEST]) == set(range(7))
    assert same(run_classifier(faces, settings()), run_classifier(unsealed, settings()))


def test_soft_labels_are_learned_in_place_of_labels(faces):
    certain = np.eye(7, dtype=np.float32)[np.minimum(faces.labels, 6)]
    hard = run_classifier(faces, settings())
    assert same(hard, run_classifier(replace(faces, soft_labels=certain), settings()))
    torn = replace(faces, soft_labels=0.5 * certain + 0.5 * np.roll(certain, 1, axis=1))
    assert not same(hard, run_classifier(torn, settings()))


def test_faces_that_the_audit_removed_play_no_part(faces):
    keep = np.ones(len(faces), bool)
    keep[:20] = keep[90:100] = False
    images = np.array(faces.images)
    images[~keep] = 0
    blanked = FaceSet(images, faces.labels, faces.split, faces.row)
    assert same(run_classifier(faces, settings(), keep), run_classifier(blanked, settings(), keep))


# Classification, and on the kept features of an encoder; test_recipe.py interrupts other kinds.
# After one epoch there is one checkpoint, later there are two, whatever is trained.
@pytest.mark.usefixtures("thin_encoders")
@pytest.mark.parametrize(("name", "epochs"), [("ceiling", 1), ("ceiling", 3), ("vgg16", 3)])
def test_an_interrupted_run_ends_like_one_that_was_not(few_faces, monkeypatch, name, epochs):
    def run():
        if name == "ceiling":
            return run_classifier(few_faces, settings(batch_size=8))
        return run_reconstructor(name, few_faces, settings(batch_size=8))

    run()
    expected = contents("models"), contents("data/training")
    with monkeypatch.context() as patch:
        interrupt_after(patch, epochs)
        with pytest.raises(PowerCut):
            run()
    assert list(Path(".checkpoints").rglob("last.safetensors"))
    run()
    assert (contents("models"), contents("data/training")) == expected


def test_a_run_is_saved_when_enough_time_has_passed(faces, monkeypatch):
    clock, an_epoch, written = [0.0], [0.0], []
    monkeypatch.setattr(record, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    save, ends = checkpoint.save, Record.epoch_ends

    def saving(path, fingerprint, objective, best, notes):
        written.append(len(notes["history"]))
        save(path, fingerprint, objective, best, notes)

    monkeypatch.setattr(checkpoint, "save", saving)

    def epoch_ends(self, *arguments):
        clock[0] += an_epoch[0]
        ends(self, *arguments)

    monkeypatch.setattr(Record, "epoch_ends", epoch_ends)
    for seconds, expected in ((1.0, []), (11.0, [1, 2, 3, 4, 5, 6]), (6.0, [2, 4, 6])):
        written.clear()
        an_epoch[0] = seconds
        run_classifier(faces, settings(epochs=6, patience=6))
        assert written == expected


def test_nothing_of_an_abandoned_run_is_left_in_the_next(few_faces, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt_after(patch, 6)
        with pytest.raises(PowerCut):
            run_reconstructor("unet", few_faces, settings(epochs=10, patience=10))
    run_reconstructor("unet", few_faces, settings(epochs=2))
    pictures = Path("data/training/reconstructors/unet/pictures")
    assert [path.name for path in pictures.iterdir()] == ["epoch_001.png"]


@pytest.mark.parametrize("change", ["seed", "settings", "faces"])
def test_the_checkpoint_of_another_run_is_not_resumed(faces, monkeypatch, change):
    with monkeypatch.context() as patch:
        interrupt_after(patch, 3)
        with pytest.raises(PowerCut):
            run_classifier(faces, settings())
    train = settings(
        seed=2 if change == "seed" else 1, learning_rate=0.01 if change == "settings" else 0.003
    )
    if change == "faces":
        faces = FaceSet(255 - faces.images, faces.labels, faces.split, faces.row)
    resumed = run_classifier(faces, train)
    assert same(resumed, run_classifier(faces, train))


@pytest.mark.parametrize("damaged", [["last"], ["last", "before_last"]])
def test_a_damaged_checkpoint_is_named_and_the_one_before_it_resumed(
    faces, monkeypatch, capsys, damaged
):
    run_classifier(faces, settings())
    expected = contents("models"), contents("data/training")
    with monkeypatch.context() as patch:
        interrupt_after(patch, 3)
        with pytest.raises(PowerCut):
            run_classifier(faces, settings())
    for name in damaged:
        checkpoint = Path(f".checkpoints/ceiling/{name}.safetensors")
        content = bytearray(checkpoint.read_bytes())
        content[len(content) // 2] ^= 1
        checkpoint.write_bytes(content)
    capsys.readouterr()
    run_classifier(faces, settings())
    said = capsys.readouterr().err
    assert (contents("models"), contents("data/training")) == expected
    for name in damaged:
        assert f"ceiling/{name}.safetensors: checksum mismatch; skipped" in said
    assert ("going on after epoch 2" in said) == (len(damaged) == 1)


def test_a_damaged_checkpoint_does_not_take_the_place_of_the_good_one(faces, monkeypatch):
    def interrupted(epochs):
        with monkeypatch.context() as patch:
            interrupt_after(patch, epochs)
            with pytest.raises(PowerCut):
                run_classifier(faces, settings())

    interrupted(3)
    folder = Path(".checkpoints/ceiling")
    content = bytearray((folder / "last.safetensors").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "last.safetensors").write_bytes(content)
    good = (folder / "before_last.safetensors").read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        save_every_epoch(patch)
        patch.setattr("unmask.training.checkpoint.save_tensors", full)
        with pytest.raises(OSError, match="No space left"):
            run_classifier(faces, settings())
    assert (folder / "before_last.safetensors").read_bytes() == good


def test_a_reconstructor_that_was_finished_before_its_stage_is_not_trained_again(
    few_faces, monkeypatch
):
    entry = RECONSTRUCTORS["unet"]
    train_entry("unet", entry, few_faces, settings(epochs=2), one_of_several=True)
    before = contents("models"), contents("data/training")
    shutil.rmtree("models")  # as DVC does before it runs the stage again
    shutil.rmtree("data/training")
    with monkeypatch.context() as patch:
        interrupt_after(patch, 0)  # an epoch would fail
        train_entry("unet", entry, few_faces, settings(epochs=2), one_of_several=True)
        assert (contents("models"), contents("data/training")) == before
        assert not Path(".checkpoints/reconstructors/unet").exists()
        with pytest.raises(PowerCut):
            train_entry("unet", entry, few_faces, settings(epochs=3), one_of_several=True)


def test_one_face_too_many_for_whole_batches_can_be_learned(few_faces):
    """Batch normalisation of a map of one pixel learns nothing from a single face."""
    how = settings(epochs=1, batch_size=int((few_faces.split == TRAIN).sum()) - 1)
    run_reconstructor("inception_v3", few_faces, how, size=75, pretrained="none")


def test_closed_form_sees_each_face_once(few_faces):
    run_reconstructor("nearest", few_faces, settings(epochs=3), objective={"name": "closed_form"})
    training = json.loads(Path("models/reconstructors/nearest/training.json").read_text())
    assert training["epochs"] == 1


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"objective": {"name": "supervized"}}, "supervized: no file src/unmask/objectives/"),
        ({"objective": {"name": "supervised", "loss": "l3"}}, "reconstructors.unet.objective.loss"),
        ({"objective": {"name": "supervised"}, "train": {"epoch": 3}}, "unet.train.epoch"),
        ({"objective": {"name": "supervised"}, "widht": 3}, "reconstructors.unet.widht"),
        ({"objective": {"name": "closed_form"}}, "UNet cannot be computed in closed form"),
    ],
)
def test_a_mistake_in_an_entry_is_named_before_anything_is_written(faces, entry, words):
    with pytest.raises(UserError, match=words):
        train_entry("unet", entry, faces, settings())
    assert not Path("models").exists()


def test_a_loss_cannot_train_what_has_no_weights(faces):
    with pytest.raises(UserError, match="MeanFace has nothing that a loss could train"):
        train_entry("mean_face", {"objective": {"name": "supervised"}}, faces, settings())


def test_no_backend_may_round_float32():
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
    begin(settings())
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32


def test_a_run_that_diverges_is_refused(faces):
    with pytest.raises(UserError, match="diverged in epoch 1; lower its learning_rate"):
        run_classifier(faces, settings(learning_rate=1e30))
    assert not Path("models").exists()


class Distillation(SingleLoss):
    """Teaches a student what a teacher says of the same faces.

    It does nothing to freeze the teacher: the training loop has to.
    """

    def __init__(self, student, teacher, train_settings, compute):
        super().__init__(student, train_settings, compute)
        self.frozen = {"teacher": teacher}
        self.modes = set()

    def measure(self, batch):
        faces, teacher = to_unit(batch["face"]), self.frozen["teacher"]
        self.modes |= {module.training for module in teacher.modules()}
        loss = functional.cross_entropy(self.predict(faces), teacher(faces).softmax(1))
        return {"loss": loss}


STUDENT = classifier_config("paper_cnn", CLASSIFIER.settings, "whole", (48, 48))


def teacher(seed=0):
    """Return a classifier that training mode would change: it has statistics and dropout."""
    torch.manual_seed(seed)
    settings = {"width": 3, "blocks": 1, "dropout": 0.5}
    model = build(classifier_config("resnet", settings, "whole", (48, 48))).train()
    assert all(parameter.requires_grad for parameter in model.parameters())
    return model


def distil(faces, teacher, train=None):
    """Train a student; return its weights and the objective that it was trained by."""
    train = train or settings(batch_size=8)
    compute = begin(train)
    student = build(STUDENT)
    objective = Distillation(student, teacher, train.classifier, compute)
    inputs = Inputs({"face": faces.images}, faces.rows(TRAIN), faces.rows(VALIDATION))
    train_and_save(
        "student", student, STUDENT, objective, inputs, train.classifier, train, compute, facts={}
    )
    return load_file("models/student/weights.safetensors"), objective


def test_a_teacher_teaches_and_does_not_learn(few_faces):
    frozen = teacher()
    before = {key: tensor.clone() for key, tensor in frozen.state_dict().items()}
    weights, objective = distil(few_faces, frozen)
    after = frozen.cpu().state_dict()
    assert all(torch.equal(after[key], tensor) for key, tensor in before.items())
    assert not any(parameter.requires_grad for parameter in frozen.parameters())
    assert all(parameter.grad is None for parameter in frozen.parameters())
    assert objective.modes == {False}
    still = settings(epochs=1, batch_size=8, learning_rate=1e-12)
    untrained, _ = distil(few_faces, teacher(), still)
    assert not same(weights, untrained)
    assert not same(weights, distil(few_faces, teacher(seed=1))[0])  # it matters who teaches
    training = json.loads(Path("models/student/training.json").read_text())
    assert training["parameters"] == sum(tensor.size for tensor in weights.values())


def test_nothing_of_a_teacher_is_in_a_checkpoint_or_a_model_folder(few_faces, monkeypatch):
    frozen = teacher()
    with monkeypatch.context() as patch:
        interrupt_after(patch, 2)
        with pytest.raises(PowerCut):
            distil(few_faces, frozen)
    checkpoints = sorted(Path(".checkpoints/student").glob("*.safetensors"))
    assert [path.name for path in checkpoints] == ["before_last.safetensors", "last.safetensors"]
    student = set(build(STUDENT).state_dict())
    assert not student >= set(frozen.state_dict())
    for path in checkpoints:
        tensors, _ = load_tensors(path)
        learned = {key for key in tensors if not key.startswith("optimiser.0.")}
        assert learned == {f"{of}.{key}" for of in ("model", "best") for key in student}
        moments = {key.rpartition(".")[2] for key in set(tensors) - learned}
        assert moments == {"exp_avg", "exp_avg_sq", "step"}
    assert set(distil(few_faces, frozen)[0]) == student


def with_another_statistic(model):
    """Move one running mean, which is no parameter but changes what the teacher says."""
    model.get_buffer("features.0.1.running_mean")[0] += 1.0
    return model


@pytest.mark.parametrize(
    ("other", "resumes"),
    [
        (teacher, True),
        (lambda: teacher(seed=1), False),
        (lambda: with_another_statistic(teacher()), False),
    ],
    ids=["the same", "another", "another statistic"],
)
def test_a_checkpoint_is_resumed_with_the_same_teacher_alone(
    few_faces, monkeypatch, capsys, other, resumes
):
    expected, _ = distil(few_faces, other())
    with monkeypatch.context() as patch:
        interrupt_after(patch, 3)
        with pytest.raises(PowerCut):
            distil(few_faces, teacher())
    capsys.readouterr()
    found, _ = distil(few_faces, other())
    assert ("going on after epoch 3" in capsys.readouterr().err) == resumes
    assert same(found, expected)

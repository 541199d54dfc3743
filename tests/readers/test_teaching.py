"""Training readers from several seeds: interruptions, teachers, and weights to start from."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from runs import PowerCut, interrupt_after, same, settings
from safetensors.numpy import load_file

from unmask.core.errors import UserError
from unmask.core.faces import TRAIN, VALIDATION
from unmask.core.files import save_array
from unmask.params.readers import ReaderEntry
from unmask.training import cross_fitting, loop
from unmask.training.cross_fitting import teach
from unmask.training.finished import Finished
from unmask.training.process_group import SINGLE
from unmask.training.teaching import Lesson, train_reader

RESNET = {"name": "resnet", "width": 2, "blocks": 1, "dropout": 0.0}
PAPER_CNN = {"name": "paper_cnn", "filters": [2], "hidden": 4, "dropout": 0.0, "dense_dropout": 0.0}

pytestmark = pytest.mark.usefixtures("in_folder")


@pytest.fixture
def lesson(few_faces):
    rows = few_faces.rows(TRAIN), few_faces.rows(VALIDATION)
    return Lesson(few_faces.images, few_faces, *rows)


def entry(teacher="none", sees="halves", classifier=RESNET, objective=(), **more):
    taught = {"name": "cross_entropy" if teacher == "none" else "distillation", "teacher": teacher}
    return ReaderEntry.model_validate(
        {"sees": sees, "classifier": classifier, "objective": taught | dict(objective)} | more
    )


def learn(name, of, lesson, number=0, epochs=1, **changes):
    train = settings(seed=number + 1, epochs=epochs, **changes)
    train_reader(f"readers/{name}/{number + 1}", name, of, lesson.taught(of, number), train, {})
    return load_file(f"models/readers/{name}/{number + 1}/weights.safetensors")


@pytest.fixture
def teacher(in_folder, lesson):
    """A reader of whole faces with two seeds and two folds, as a teacher."""
    whole = entry(sees="faces", folds=2)
    for number in range(2):
        learn("whole", whole, lesson, number)
    Path("data/audit").mkdir(parents=True)
    save_array("data/audit/groups.npy", np.arange(len(lesson.faces)))
    return teach("whole", whole, lesson, settings(epochs=1), {})


def test_a_mistake_in_a_readers_classifier_is_named_by_its_own_key(lesson):
    with pytest.raises(UserError, match=r"params.yaml: readers.deep.classifier.deep: unknown key"):
        learn("deep", entry(classifier=RESNET | {"deep": 2}), lesson)


def count_epochs(monkeypatch):
    """Return a list that gets an element for each epoch from now on."""
    trained, train = [], loop._train

    def counted(*arguments):
        trained.append(1)
        return train(*arguments)

    monkeypatch.setattr(loop, "_train", counted)
    return trained


def test_an_interruption_in_a_later_seed_loses_no_earlier_one(lesson, monkeypatch):
    hard = entry()
    with monkeypatch.context() as patched:
        first = learn("hard", hard, lesson, 0, epochs=2)
        interrupt_after(patched, 1)
        with pytest.raises(PowerCut):
            learn("hard", hard, lesson, 1, epochs=2)
    shutil.rmtree("models")  # as DVC does before it runs the stage again
    shutil.rmtree("data")
    epochs = count_epochs(monkeypatch)
    again = learn("hard", hard, lesson, 0, epochs=2)
    assert same(first, again)
    assert list(Path("data/training/readers/hard/1/train").iterdir())
    assert epochs == []
    learn("hard", hard, lesson, 1, epochs=2)
    assert len(epochs) == 1  # the other one was in the checkpoint
    Finished.forget("readers/hard", SINGLE)
    assert not Path(".checkpoints/finished/readers/hard").exists()


@pytest.mark.parametrize("change", ["epochs", "labels"])
def test_what_is_kept_of_another_run_is_not_put_back(lesson, monkeypatch, change):
    learn("hard", entry(), lesson)
    epochs = count_epochs(monkeypatch)
    if change == "labels":
        other = replace(lesson.faces, labels=(np.array(lesson.faces.labels) + 1) % 7)
        learn("hard", entry(), replace(lesson, faces=other))
    else:
        learn("hard", entry(), lesson, epochs=2)
    assert len(epochs) == (2 if change == "epochs" else 1)


def test_a_teacher_leaves_copies_and_folds(teacher, lesson):
    folder = Path("models/teachers/whole")
    assert {path.name for path in folder.iterdir()} == {"curves", "fold.npy", "folds", "seeds"}
    assert {path.name for path in (folder / "seeds").iterdir()} == {"1", "2"}
    fold = np.load(folder / "fold.npy")
    assert np.bincount(fold)[[0, 1, 255]].tolist() == [7, 7, 14]
    assert teacher["folds"] == 2
    assert 0 <= teacher["unseen"]["accuracy"] <= 1
    assert not Path(".checkpoints/finished/teachers/whole").exists()


@pytest.mark.usefixtures("teacher")
def test_students_are_taught_by_all_seeds_or_by_all_folds(lesson):
    naive, fitted = entry("whole"), entry("whole", objective={"cross_fitted": True})
    assert [path.parent.name for path in lesson.taught(naive, 0).teachers] == ["seeds", "seeds"]
    taught = lesson.taught(fitted, 0)
    assert [path.as_posix()[-7:] for path in taught.teachers] == ["folds/0", "folds/1"]
    assert taught.inputs().arrays["fold"] is taught.fold
    assert not same(learn("naive", naive, lesson), learn("fitted", fitted, lesson))


@pytest.mark.usefixtures("teacher")
def test_a_student_starts_from_the_teacher_of_its_seed(lesson):
    started = entry("whole", objective={"name": "cross_entropy"}, start="teacher")
    still = learn("started", started, lesson, 1, learning_rate=1e-12)
    own = load_file("models/readers/whole/2/weights.safetensors")
    learned = [key for key in own if "running" not in key and "num_batches" not in key]
    assert all(np.allclose(still[key], own[key], atol=1e-6) for key in learned)


def test_two_phases_begin_with_groups_of_classes(lesson):
    groups = [["angry", "disgust", "fear", "sad"], ["happy", "surprise", "neutral"]]
    first = entry(objective={"groups": groups, "class_weights": "balanced"})
    learned = learn("first", first, lesson, epochs=2)
    assert not same(learned, learn("alone", entry(), lesson, epochs=2))
    shutil.copytree("models/readers/first", "models/teachers/first/seeds")
    second = entry("first", objective={"name": "cross_entropy"}, start="teacher")
    still = learn("second", second, lesson, learning_rate=1e-12)
    weights = [key for key in still if "running" not in key and "num_batches" not in key]
    assert all(np.allclose(still[key], learned[key], atol=1e-6) for key in weights)


def test_weights_that_fit_another_view_alone_are_refused(lesson):
    whole = entry(sees="faces", classifier=PAPER_CNN)
    learn("whole", whole, lesson)
    shutil.copytree("models/readers/whole", "models/teachers/whole/seeds")
    started = entry("whole", classifier=PAPER_CNN, start="teacher")
    with pytest.raises(UserError, match=r"^params.yaml: readers.started.start: teacher, whose wei"):
        learn("started", started, lesson)


def test_no_checkpoint_of_another_teacher_is_resumed(teacher, lesson, monkeypatch):
    assert teacher
    started = entry("whole", objective={"name": "cross_entropy"}, start="teacher")
    with monkeypatch.context() as patched:
        interrupt_after(patched, 1)
        with pytest.raises(PowerCut):
            learn("started", started, lesson, epochs=2)
    seeds = Path("models/teachers/whole/seeds")
    shutil.copytree(seeds / "2", seeds / "1", dirs_exist_ok=True)
    epochs = count_epochs(monkeypatch)
    learn("started", started, lesson, epochs=2)
    assert len(epochs) == 2


def test_a_teacher_interrupted_at_its_end_loses_no_fold(lesson, monkeypatch):
    whole = entry(sees="faces", folds=2)
    learn("whole", whole, lesson)
    Path("data/audit").mkdir(parents=True)
    save_array("data/audit/groups.npy", np.arange(len(lesson.faces)))

    def cut(*_):
        raise PowerCut

    with monkeypatch.context() as patched:
        patched.setattr(cross_fitting, "probabilities", cut)
        with pytest.raises(PowerCut):
            teach("whole", whole, lesson, settings(epochs=1), {})
    shutil.rmtree("models/teachers")  # as DVC does before it runs the stage again
    epochs = count_epochs(monkeypatch)
    teach("whole", whole, lesson, settings(epochs=1), {})
    assert epochs == []


def test_there_can_be_more_folds_than_groups_of_faces(lesson):
    whole = entry(sees="faces", folds=3)
    learn("whole", whole, lesson)
    Path("data/audit").mkdir(parents=True)
    save_array("data/audit/groups.npy", np.arange(len(lesson.faces)) % 2)
    figures = teach("whole", whole, lesson, settings(epochs=1), {})
    assert 0 <= figures["unseen"]["accuracy"] <= 1


def test_a_student_resumes_bit_by_bit(teacher, lesson, monkeypatch):
    assert teacher
    fitted = entry("whole", objective={"cross_fitted": True, "features": 0.5})
    straight = learn("straight", fitted, lesson, epochs=3)
    with monkeypatch.context() as patched:
        interrupt_after(patched, 2)
        with pytest.raises(PowerCut):
            learn("broken", fitted, lesson, epochs=3)
    assert same(straight, learn("broken", fitted, lesson, epochs=3))

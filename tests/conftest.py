"""What tests of the model code share: a face set small enough to train on in a second."""

import os
import signal
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from click.testing import CliRunner

from unmask.cli.main import main
from unmask.core.faces import CLASSES, SIZE, FaceBlock, FaceSet, FaceSetWriter


def pytest_configure():
    """Set up the process of a worker, and so all that it starts.

    Threads of two workers, and of what they start, would wait for each other on the same cores:
    with two threads each, training takes up to ten times as long as with one.

    What a process imports it compiles, and the next ones need not: it is PyTorch, a hundred times.

    Stages hear Ctrl-C: where tests run in the background, a shell has them ignore it.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """Start with the files that take longest, so that no worker is left alone with one in the end.

    The first makes a pipeline that those of rank 2 use, and would wait for.
    """
    longest = {
        "test_dvc.py": 0,
        "test_benchmarks.py": 1,
        "test_pipeline_benchmark.py": 1,
        "test_training.py": 1,
        "test_environment.py": 2,
        "test_other_pipelines.py": 2,
        "test_readers.py": 2,
        "test_shared_cache.py": 2,
        "test_adversarial.py": 3,
        "test_bad_input.py": 3,
        "test_command_line.py": 3,
        "test_demo_page.py": 3,
        "test_encoders.py": 3,
        "test_evaluation.py": 3,
        "test_laboratory.py": 3,
        "test_process_group.py": 3,
        "test_report.py": 3,
        "test_teaching.py": 3,
    }
    items.sort(key=lambda item: longest.get(item.path.name, 4))


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    """Run the test in an empty folder: models and checkpoints are written below the working one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Said(NamedTuple):
    """What a command leaves on the screen."""

    status: int
    out: list[str]
    err: list[str]


@pytest.fixture
def unmask_command():
    """A function that runs `unmask` with words, and returns status, lines of output and errors."""

    def run(*words, given=None):
        result = CliRunner().invoke(main, [str(word) for word in words], input=given)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout.splitlines(), result.stderr.splitlines())

    return run


@pytest.fixture
def thin_encoders(monkeypatch):
    """Make the encoders from ResNet50 and VGG16 fast: fewer blocks, or fewer filters.

    Their feature maps have the same shapes, and the layers that stay have the same names.
    """
    # Imported here: most tests go without PyTorch.
    from torchvision.models.resnet import Bottleneck, ResNet

    from unmask.models import encoders

    monkeypatch.setattr(encoders, "resnet50", lambda: ResNet(Bottleneck, [1, 1, 1, 1]))
    thin = [4, 4, "M", 4, 4, "M", 8, 8, 8, "M", 8, 8, 512]
    monkeypatch.setattr(encoders, "cfgs", {"D": thin})


@pytest.fixture
def faces(tmp_path):
    """Faces whose class shows in the brightness of the lower half, in equal numbers."""
    return write_faces(tmp_path / "faces", train=84, validation=42, test=42)


@pytest.fixture
def few_faces(tmp_path):
    """Two such faces of each class to train on, for models that take a while for each."""
    return write_faces(tmp_path / "few_faces", train=14, validation=7, test=7)


def write_faces(folder: Path, train: int, validation: int, test: int) -> FaceSet:
    count = train + validation + test
    random = np.random.default_rng(0)
    labels = np.arange(count, dtype=np.uint8) % len(CLASSES)
    images = random.integers(0, 60, (count, SIZE, SIZE), dtype=np.uint8)
    images[:, SIZE // 2 :] += (30 * labels[:, None, None]).astype(np.uint8)
    split = np.repeat(np.arange(3, dtype=np.uint8), [train, validation, test])
    folder.mkdir()
    with FaceSetWriter(folder, folder / "test_labels.npy") as writer:
        writer.append(FaceBlock(images, labels, split, np.arange(count) + 2))
    return FaceSet.open(folder)

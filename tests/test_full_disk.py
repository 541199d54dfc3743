"""A full disk: one error that names the file, the old file as it was, and nothing half-written."""

import errno
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

from unmask.core.files import ArrayWriter, atomic_folder, atomic_write, save_array, write_json
from unmask.evaluation.predictions import ROW, write_predictions
from unmask.models.folder import classifier_config, save_model, save_tensors
from unmask.objectives.cross_entropy import CrossEntropy, Params
from unmask.params.models import Training
from unmask.pictures import save_grid
from unmask.training import checkpoint
from unmask.training.process_group import Compute
from unmask.training.reconstructor import keep_features

KILOBYTES = 512
CPU = Compute(torch.device("cpu"), "float32")
AS_ROOT = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """A file system of half a megabyte."""
    folder = tmp_path_factory.mktemp("disk")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={KILOBYTES}k,mode=777", "tmpfs", str(folder)]
    mounted = subprocess.run([*AS_ROOT, *mount], capture_output=True, text=True, check=False)
    if mounted.returncode:
        reason = f"a small disk cannot be mounted here: {mounted.stderr.strip()}"
        (pytest.fail if "CI" in os.environ else pytest.skip)(reason)
    yield folder
    subprocess.run([*AS_ROOT, "umount", str(folder)], check=True)


@pytest.fixture
def full(disk, monkeypatch):
    """The disk, empty, as working folder, and what fills it up."""
    monkeypatch.chdir(disk)

    def fill(leave):
        filler = disk / "filler"
        filler.write_bytes(b"")
        stat = os.statvfs(disk)
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, stat.f_bavail * stat.f_frsize - leave)

    yield fill
    for path in sorted(disk.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def _blocks(path, size):
    with atomic_write(path) as temporary, ArrayWriter(temporary, (64, 64), np.uint8) as writer:
        for _ in range(size):
            writer.append(np.zeros((1, 64, 64), np.uint8))


def _predictions(path, size):
    with atomic_folder(path.parent / "predictions") as folder:
        write_predictions(folder / "test.csv", np.zeros(100 * size, ROW))


def _model(path, size):
    config = classifier_config("paper_cnn", {}, "whole", (48, 48))
    with atomic_folder(path.parent / "model") as folder:
        save_model(nn.Linear(32, 32 * size), config, folder)


def _checkpoint(path, size):
    settings = Training(
        epochs=1, patience=1, batch_size=2, learning_rate=0.1, schedule="constant",
        gradient_clip=None, flip=0, rotation=0, shift=0,
    )  # fmt: skip
    objective = CrossEntropy(nn.Linear(32, 32 * size), Params(view="whole"), settings, CPU)
    checkpoint.save(path, "f", objective, {}, {})


def _grid(path, size):
    faces = np.random.default_rng(0).integers(0, 256, (8 * size, 48, 48), dtype=np.uint8)
    save_grid(path, {"a": faces, "b": faces})


def _figure(path, size):
    with atomic_write(path) as temporary:
        Figure(figsize=(4, 4 * size)).savefig(temporary, format="png", dpi=300)


SITES = {
    "array": lambda path, size: save_array(path, np.zeros(4096 * size, np.uint8)),
    "blocks": _blocks,
    "json": lambda path, size: write_json(path, {"figures": [0.25] * 500 * size}),
    "tensors": lambda path, size: save_tensors(path, {"w": torch.zeros(1024 * size)}, {}),
    "model": _model,
    "predictions": _predictions,
    "checkpoint": _checkpoint,
    "grid": _grid,
    "figure": _figure,
}


def contents(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name != "filler"}


@pytest.mark.parametrize("leave", [0, 8192])
@pytest.mark.parametrize("site", SITES)
def test_a_full_disk_leaves_the_old_file_and_is_named(disk, full, site, leave):
    SITES[site](disk / "artefact", 1)
    before = contents(disk)
    assert before
    full(leave)
    with pytest.raises(OSError, match="No space left on device") as error:
        SITES[site](disk / "artefact", 8)
    assert error.value.errno == errno.ENOSPC
    assert Path(error.value.filename).is_relative_to(disk)
    after = contents(disk)
    if site == "checkpoint":  # the one before it is a good one
        after = {disk / "artefact": after[disk / "before_artefact"]}
    assert after == before


def test_features_that_do_not_fit_are_refused_before_they_are_computed(disk, full):
    class Encoder(nn.Module):
        def forward(self, upper):
            return [upper.repeat(1, 4, 1, 1)]

    full(8192)
    upper = np.zeros((100, 24, 48), np.uint8)
    with pytest.raises(OSError, match="No space left on device"):
        keep_features("run", Encoder(), [], upper, np.arange(100), CPU)
    assert not list(disk.rglob("*.npy"))

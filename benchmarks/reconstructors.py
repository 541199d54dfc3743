"""Training of each reconstructor, compared with plain PyTorch; and what kept features are worth.

    python benchmarks/reconstructors.py [NAME ...] [--rounds 2] [--train 384] [--validation 64]

Models, losses and batch sizes are those of params.yaml, on faces of random pixels, which take as
long as any others. Each side is its own process. Images per second are for all epochs but the
first, validation included; images per CPU second, over all threads, depend less on what else the
machine is doing. Plain PyTorch is a `DataLoader` with torchvision's transforms of each face,
float32, and `torch.optim.Adam`. Reconstructors in closed form do not train and are left out.

If the encoder is frozen and faces are not augmented, our loop computes features once and reads them
in every epoch. The second table compares whole runs of ten epochs, from the features to the last
checkpoint, with our loop when it recomputes features in every epoch, and with plain PyTorch;
nothing is extrapolated. Its last column is not measured: it counts floating-point operations, and
is the speed-up that kept features would have over recomputed ones if the decoder did as many
operations per second as the encoder, which its smaller layers do not.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from alternate import HERE, ROOT, Child, alternate, ratios, run, spread, table

sys.path.insert(0, str(ROOT / "src"))

from unmask.core import section
from unmask.core.faces import CLASSES, SIZE, FaceBlock, FaceSetWriter

EPOCHS, LONG = 3, 10


def main(names: list[str], rounds: int, train: int, validation: int, long: int) -> None:
    """Print two Markdown tables."""
    params = section.load(ROOT / "params.yaml")
    entries = params["reconstructors"]
    trained = {name: entries[name] for name in learning(params) if not names or name in names}
    params["reconstructors"] = trained
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_faces(folder, train, validation)
        print(
            f"{train:,} faces to train on, {validation:,} to validate on, {rounds} rounds: "
            "median (minimum to maximum)\n"
        )
        write_job(folder, params, EPOCHS)
        print(_rates(folder, list(trained), rounds))
        frozen = [name for name, entry in trained.items() if entry.get("freeze") == "all"]
        if frozen:
            write_job(folder, params, long)
            print(f"\n{_features(folder, frozen, rounds, long)}")


def _rates(folder: Path, names: list[str], rounds: int) -> str:
    rows = []
    for name in names:
        sides = {side: _side(side, name, folder) for side in ("unmask", "pytorch")}
        found = alternate(sides, rounds)
        line = [name]
        for figure in ("rate", "busy"):
            unmask, pytorch = ([c.figures[figure] for c in found[side]] for side in sides)
            line += [spread(unmask, ",.0f"), spread(pytorch, ",.0f")]
            line.append(spread(ratios(unmask, pytorch), ".2f"))
        print(f"{name}: speed-up {line[3]}", file=sys.stderr)
        rows.append(line)
    head = (
        "reconstructor", "unmask, images/s", "pytorch, images/s", "speed-up",
        "unmask, images per CPU second", "pytorch, images per CPU second", "speed-up",
    )  # fmt: skip
    return table(head, rows)


def _features(folder: Path, names: list[str], rounds: int, epochs: int) -> str:
    rows = []
    for name in names:
        sides = {side: _side(side, name, folder) for side in ("unmask", "recomputed", "pytorch")}
        found = {
            side: [child.figures["seconds"] for child in children]
            for side, children in alternate(sides, rounds).items()
        }
        kept = found.pop("unmask")
        line = [name, spread(kept)]
        for seconds in found.values():
            line += [spread(seconds), spread(ratios(seconds, kept))]
        encoder = _side("count", name, folder)(0).figures["encoder to decoder"]
        # The encoder runs over the faces once instead of in every epoch, the decoder in every one.
        line.append(f"{epochs * (encoder + 1) / (encoder + epochs):.1f}")
        rows.append(line)
    head = (
        f"frozen encoder, {epochs} epochs", "features kept, seconds",
        "recomputed, seconds", "speed-up", "pytorch, seconds", "speed-up",
        "most possible over recomputed, by operations",
    )  # fmt: skip
    return table(head, rows)


def _side(side: str, name: str, folder: Path) -> Callable[[int], Child]:
    command = [sys.executable, HERE / "reconstructor_side.py", side, name, folder]
    return lambda number: run(command)


def learning(params: dict[str, Any]) -> list[str]:
    """Return the names of the reconstructors that are trained in steps."""
    entries = params["reconstructors"].items()
    return [name for name, entry in entries if entry["objective"]["name"] != "closed_form"]


def write_faces(folder: Path, train: int, validation: int) -> None:
    """Write faces of random pixels."""
    count = train + validation
    images = np.random.default_rng(0).integers(0, 256, (count, SIZE, SIZE), dtype=np.uint8)
    labels = (np.arange(count) % len(CLASSES)).astype(np.uint8)
    split = np.repeat(np.arange(2, dtype=np.uint8), [train, validation])
    with FaceSetWriter(folder, folder / "test_labels.npy") as writer:
        writer.append(FaceBlock(images, labels, split, np.arange(count)))


def write_job(folder: Path, params: dict[str, Any], epochs: int) -> None:
    """Write the parameters that a side reads, with this number of epochs for every model."""
    for kind in ("classifier", "reconstructor"):
        params["train"][kind] |= {"epochs": epochs, "patience": epochs}
    (folder / "job.json").write_text(json.dumps(params))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="reconstructors; default: all that are trained")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--train", type=int, default=384)
    parser.add_argument("--validation", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=LONG, help="for frozen encoders")
    arguments = parser.parse_args()
    main(
        arguments.names,
        arguments.rounds,
        arguments.train,
        arguments.validation,
        arguments.epochs,
    )

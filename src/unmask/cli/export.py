"""`unmask export`: a trained model as one file for other programs, or as a folder for a hub."""

import shutil
from pathlib import Path

import click

from unmask.cli.command import PATH, one_line, put
from unmask.core.errors import UserError

_SUFFIXES = {"onnx": ".onnx", "torch": ".pt2"}
_CARD = "README.md"
_COPIED = (_CARD, "config.json", "weights.safetensors")
_IF_THERE = "calibration.json"
_ONNX = "model.onnx"


@click.command()
@click.argument("model", type=PATH)
@click.option(
    "--format", "kind", type=click.Choice([*_SUFFIXES]), default="onnx", show_default=True,
    help="onnx, for ONNX Runtime and others; torch, an archive for torch.export.load.",
)  # fmt: skip
@click.option(
    "--classifier", type=PATH, metavar="FOLDER",
    help="With a reconstructor: a classifier that reads the faces which it completes.",
)  # fmt: skip
@click.option(
    "--to", "target", type=PATH, metavar="FILE",
    help="By default, the name of MODEL with .onnx or .pt2, in the working folder.",
)  # fmt: skip
@click.option(
    "--hub", type=PATH, metavar="DIR",
    help="Instead of a file, make a folder that huggingface_hub can upload.",
)  # fmt: skip
@one_line
def export(
    model: Path, kind: str, classifier: Path | None, target: Path | None, hub: Path | None
) -> None:
    """Write a trained model as one file that runs without unmask.

    MODEL is the folder of a classifier or a reconstructor. A classifier maps images, float
    [B,1,H,W] in [0,1], to probabilities; a reconstructor upper halves to lower ones; both together
    upper halves to completed faces and their probabilities.
    """
    if hub:
        if classifier or target or kind != "onnx":
            raise UserError("--hub: goes without --format, --classifier and --to; leave them out")
        _refuse_existing(hub, "--hub")
        _prepare_hub(model, hub)
        return
    target = target or Path(model.resolve().name + _SUFFIXES[kind])
    _refuse_existing(target, "--to")

    from unmask.release.export import graph, write_onnx, write_torch

    made, checked = graph(model, classifier), ""
    if kind == "onnx":
        checked = f"; ONNX Runtime and PyTorch differ by at most {write_onnx(made, target):.0e}"
    else:
        write_torch(made, target)
    shape = ",".join(map(str, made.shape))
    put(f"{target}: {made.takes} [B,{shape}] -> {', '.join(made.gives)}{checked}\n")


def _refuse_existing(path: Path, option: str) -> None:
    if path.exists():
        raise UserError(f"{path}: already exists; delete it, or give another name with {option}")


def _prepare_hub(model: Path, hub: Path) -> None:
    """Copy a model folder with its card, and put an ONNX file beside."""
    from unmask.core.files import atomic_folder
    from unmask.release.export import graph, write_onnx

    made = graph(model)
    card = model / _CARD
    if not (card.is_file() and _text(card).startswith("---\n")):
        raise UserError(
            f"{card}: no model card with metadata, and no model should go out without; "
            "`dvc repro release/dvc.yaml` makes a folder that has one"
        )
    with atomic_folder(hub) as folder:
        copied = [*_COPIED, *([_IF_THERE] if (model / _IF_THERE).exists() else [])]
        for name in copied:
            shutil.copyfile(model / name, folder / name)
        write_onnx(made, folder / _ONNX)
    put(
        f"{hub}: {', '.join([*copied, _ONNX])}; upload it with\n"
        f"  hf upload YOUR_NAME/{hub.resolve().name} {hub}\n"
    )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{file}: not UTF-8; save it as UTF-8") from None

"""A trained model as one file that other programs run: ONNX, or the archive of `torch.export`.

What goes in is float [B,1,H,W] in [0,1], any number of images; all normalisation is inside, and so
is the temperature of a calibrated reader.
"""

import io
import json
import warnings
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from unmask.core.checksum import of_file
from unmask.core.errors import UserError
from unmask.core.files import atomic_write, read_json
from unmask.core.section import check
from unmask.models.folder import ModelConfig, load_model, read_config
from unmask.photos.reader import Calibration, faces_of

OPSET = 20
"""Of ONNX's operators; ONNX Runtime has read it since 1.17."""

NOTES = "unmask.json"
"""What the archive of `torch.export` calls the notes."""

TOLERANCE = 1e-4
"""Largest difference between what ONNX Runtime and PyTorch compute."""

_WEIGHTS, _CALIBRATION = "weights.safetensors", "calibration.json"
_FACES = 16
_BATCH = "batch"


@dataclass(frozen=True, eq=False)
class Graph:
    """What is exported.

    takes: name of its input, of `shape` (channels, height, width). gives: names of its outputs.
    notes: what the file says about itself; see docs/export.md.
    """

    module: nn.Module
    takes: str
    shape: tuple[int, ...]
    gives: tuple[str, ...]
    notes: dict[str, str]


class _Reading(nn.Module):
    """Maps images to calibrated probabilities [B,classes]."""

    def __init__(self, classifier: nn.Module, temperature: float) -> None:
        super().__init__()
        self.classifier, self.temperature = classifier, temperature

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.classifier(images)
        return (logits / self.temperature).softmax(1)


class _Completing(nn.Module):
    """Maps upper halves to completed faces, [B,1,48,48], and their probabilities."""

    def __init__(self, reconstructor: nn.Module, reading: nn.Module) -> None:
        super().__init__()
        self.reconstructor, self.reading = reconstructor, reading

    def forward(self, upper: Tensor) -> tuple[Tensor, Tensor]:
        face = torch.cat([upper, self.reconstructor(upper)], 2)
        return face, self.reading(face)


def graph(folder: Path, classifier: Path | None = None) -> Graph:
    """Return the graph of the model in `folder`.

    classifier: the folder of a classifier that reads the faces which the reconstructor in `folder`
    completes; both are one graph then.

    Raises UserError, one line, if a folder holds no model, or the two do not fit together.
    """
    config = read_config(folder)
    if classifier:
        return _completing(folder, config, classifier)
    shape, notes = tuple(config.input_shape), _notes(folder, config)
    if config.kind == "reconstructor":
        return Graph(load_model(folder), "upper", shape, ("lower",), notes)
    reading, temperature = _reading(folder)
    takes = "upper" if config.view == "upper" else "face"
    notes["temperature"] = str(temperature)
    return Graph(reading, takes, shape, ("probabilities",), notes)


def _completing(folder: Path, config: ModelConfig, classifier: Path) -> Graph:
    reader = read_config(classifier)
    if config.kind != "reconstructor":
        raise UserError(
            f"{folder}: a {config.kind}, which completes no face; "
            "with --classifier, give a reconstructor's folder, such as models/reconstructors/unet"
        )
    if reader.kind != "classifier" or reader.view not in (
        "whole",
        f"stitched {config.architecture}",
    ):
        what = f"a {reader.kind}"
        if reader.kind == "classifier":
            what += f" of {faces_of(reader.view)}"
        raise UserError(
            f"{classifier}: {what}; give a classifier of whole faces, "
            f"or of faces stitched by {config.architecture}"
        )
    reading, temperature = _reading(classifier)
    notes = _notes(folder, config) | {
        "kind": "reconstructor and classifier",
        "classes": ",".join(reader.classes),
        "classifier_sha256": of_file(classifier / _WEIGHTS),
        "temperature": str(temperature),
    }
    module = _Completing(load_model(folder), reading).eval()
    return Graph(module, "upper", tuple(config.input_shape), ("face", "probabilities"), notes)


def _reading(folder: Path) -> tuple[nn.Module, float]:
    """Return the classifier in `folder` with its temperature, which is 1 if none was fitted."""
    model, temperature = load_model(folder), 1.0
    if (file := folder / _CALIBRATION).exists():
        temperature = check(Calibration, read_json(file), file=file).temperature
    return _Reading(model, temperature).eval(), temperature


def _notes(folder: Path, config: ModelConfig) -> dict[str, str]:
    return {
        "kind": config.kind,
        "architecture": config.architecture,
        "view": config.view,
        "classes": ",".join(config.classes),
        "unmask": version("unmask"),
        "sha256": of_file(folder / _WEIGHTS),
    }


def write_onnx(graph: Graph, path: Path) -> float:
    """Write a graph as ONNX; return by how much ONNX Runtime's results differ from PyTorch's.

    That is the largest difference on a few random images, none above `TOLERANCE`.

    Raises UserError, one line, without the packages that it takes.
    """
    try:
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError:
        raise UserError(
            "packages that write ONNX are not installed; "
            "run `pip install -e '.[onnx]'` in the clone"
        ) from None
    program = _traced(graph)
    with warnings.catch_warnings(action="ignore"):  # of what a later PyTorch will call otherwise
        made = torch.onnx.export(
            program, (), input_names=[graph.takes], output_names=list(graph.gives),
            opset_version=OPSET, verbose=False,
        )  # fmt: skip
    content = _described(made, graph.notes)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    difference = _difference(graph, session)
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)
    return difference


def _described(made: Any, notes: dict[str, str]) -> bytes:
    """Return the content of the file, with notes and without what only its maker wants to know."""
    model = made.model_proto
    graph = model.graph
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = _BATCH
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        part.ClearField("metadata_props")  # among it are paths of this machine
    graph.ClearField("value_info")
    for key, text in notes.items():
        model.metadata_props.add(key=key, value=text)
    content: bytes = model.SerializeToString()
    return content


def _difference(graph: Graph, session: Any) -> float:
    pixels = np.random.default_rng(1).integers(0, 256, (_FACES, *graph.shape), np.uint8)
    images = pixels.astype(np.float32) / 255
    with torch.inference_mode():
        wanted = graph.module(torch.from_numpy(images))
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    found = session.run(list(graph.gives), {graph.takes: images})
    difference = max(
        float(np.abs(one.numpy() - other).max()) for one, other in zip(wanted, found, strict=True)
    )
    if not difference <= TOLERANCE:
        raise UserError(
            f"ONNX Runtime and PyTorch differ by {difference:.2g} on this model; "
            "use --format torch, and tell the makers of unmask which model it is"
        )
    return difference


def write_torch(graph: Graph, path: Path) -> None:
    """Write a graph as an archive that `torch.export.load` reads."""
    program = _traced(graph)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # it has paths of this machine
    program.example_inputs = None  # they would be a pickle
    buffer = io.BytesIO()
    torch.export.save(program, buffer, extra_files={NOTES: json.dumps(graph.notes)})
    with atomic_write(path) as temporary:
        temporary.write_bytes(buffer.getvalue())


def _traced(graph: Graph) -> ExportedProgram:
    example = torch.zeros(2, *graph.shape)  # of a batch of one, a length that varies would be lost
    return torch.export.export(
        graph.module, (example,), dynamic_shapes=({0: Dim(_BATCH)},), strict=False
    )

"""A trained model as a folder that describes itself: `config.json` and `weights.safetensors`.

The folder is all that is needed to build the model and load its weights; `params.yaml` may have
changed since.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from unmask.core.checksum import KEY, mismatch
from unmask.core.errors import UserError
from unmask.core.faces import CLASSES, SIZE
from unmask.core.files import atomic_write, read_json, write_json
from unmask.core.mask import UPPER_ROWS
from unmask.core.section import FILE, Section, check
from unmask.models.registry import built

FORMAT = 1
"""Version of `config.json`."""

_CONFIG, _WEIGHTS = "config.json", "weights.safetensors"
_FAMILY = {"classifier": "classifiers", "reconstructor": "reconstructors"}


class ModelConfig(Section):
    """What `config.json` says about a model.

    kind: a classifier maps float [B,1,H,W] in [0,1] to logits [B,7], a reconstructor upper halves
        to lower halves, float [B,1,24,48] in [0,1] each.
    architecture, settings: file of `classifiers/` or `reconstructors/`, and its settings.
    view: what it is shown: `upper`, `whole`, or `stitched`, with a reconstructor's name if it is
        one of the pipeline's.
    input_shape: channels, height and width.
    classes: their names by label; none for a reconstructor.
    trained: the faces that it was trained on, and the parameters that it was trained with.
    """

    format: int
    kind: Literal["classifier", "reconstructor"]
    architecture: str
    settings: dict[str, Any]
    view: str
    input_shape: list[int] = Field(min_length=3, max_length=3)
    classes: list[str]
    trained: dict[str, Any]


def classifier_config(
    name: str,
    settings: Mapping[str, Any],
    view: str,
    shape: tuple[int, ...],
    trained: Mapping[str, Any] | None = None,
) -> ModelConfig:
    """Return the configuration of the classifier `name` that sees `view`, of `shape` (H, W)."""
    return ModelConfig(
        format=FORMAT, kind="classifier", architecture=name, settings=dict(settings), view=view,
        input_shape=[1, *shape], classes=list(CLASSES), trained=dict(trained or {}),
    )  # fmt: skip


def reconstructor_config(
    name: str, settings: Mapping[str, Any], trained: Mapping[str, Any] | None = None
) -> ModelConfig:
    """Return the configuration of the reconstructor `name`."""
    return ModelConfig(
        format=FORMAT, kind="reconstructor", architecture=name, settings=dict(settings),
        view="upper", input_shape=[1, UPPER_ROWS, SIZE], classes=[], trained=dict(trained or {}),
    )  # fmt: skip


def build(config: ModelConfig, folder: Path | None = None, key: str = "") -> nn.Module:
    """Return the untrained model that `config` describes.

    For messages: folder, the model folder that `config` comes from; None if it is params.yaml. key:
    where its settings are in there, if not under its family and the name of its architecture.
    Raises UserError for an architecture that is not there and for settings that it does not know.
    """
    family = _FAMILY[config.kind]
    file, key = FILE, key or f"{family}.{config.architecture}"
    if folder:
        file, key = str(folder / _CONFIG), "settings"
    shape = (*config.input_shape[1:], len(CLASSES)) if config.kind == "classifier" else ()
    model: nn.Module = built(
        family, config.architecture, config.settings, *shape, key=key, file=file
    )
    return model


def save_model(model: nn.Module, config: ModelConfig, folder: Path) -> None:
    """Write the configuration and the weights of `model` into `folder`, which is there already."""
    write_json(folder / _CONFIG, config.model_dump())
    save_tensors(folder / _WEIGHTS, model.state_dict(), {})


def load_model(folder: str | Path) -> nn.Module:
    """Return the model that `save_model` wrote into `folder`, on the CPU in evaluation mode.

    Raises UserError, one line, if a file is missing or has a checksum mismatch, if the format is
    unknown, a key is missing, there is no such architecture, or the weights are another model's.
    """
    folder = Path(folder)
    model = build(read_config(folder), folder)
    weights = folder / _WEIGHTS
    try:
        tensors, _ = load_tensors(weights)
        model.load_state_dict(tensors)
    except FileNotFoundError:
        raise UserError(f"{weights}: no such file; run `dvc repro`") from None
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"{weights}: weights of another model ({reason}); run `dvc repro`"
        ) from None
    return model.eval()


def read_config(folder: str | Path) -> ModelConfig:
    """Return the configuration of the model in `folder`; raises UserError like `load_model`."""
    file = Path(folder) / _CONFIG
    if not file.parent.is_dir():
        raise UserError(f"{folder}: no such folder; give the folder of a trained model")
    config = read_json(file)
    if config.get("format", FORMAT) != FORMAT:
        raise UserError(
            f"{file}: format {config['format']}, but this version of unmask reads format {FORMAT}; "
            "use the version that wrote it"
        )
    return check(ModelConfig, config, file=file)


def save_tensors(path: Path, tensors: Mapping[str, Tensor], notes: Mapping[str, str]) -> None:
    """Write tensors by name as safetensors, `notes` and a checksum of everything in the header."""
    plain = {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}
    header = {**notes, KEY: _checksum(plain, notes)}
    with atomic_write(path) as temporary:
        # Not by save_file, which raises an error of its own kind if the disk is full.
        temporary.write_bytes(save(plain, header))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors and the notes that `save_tensors` wrote.

    Raises FileNotFoundError if there is no file, UserError if its checksum does not match.
    """
    try:
        with safe_open(path, framework="pt") as file:
            notes = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except SafetensorError:
        raise mismatch(path) from None
    if notes.pop(KEY, None) != _checksum(tensors, notes):
        raise mismatch(path)
    return tensors, notes


def _checksum(tensors: Mapping[str, Tensor], notes: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(notes, sort_keys=True).encode())
    for key, tensor in sorted(tensors.items()):
        digest.update(f"{key}{tensor.dtype}{list(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()

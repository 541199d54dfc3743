"""A trained classifier that reads the expressions of 48x48 crops."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

import unmask
from unmask.core.errors import UserError
from unmask.core.faces import SIZE
from unmask.core.files import read_json
from unmask.core.mask import UPPER_ROWS, crop, stitch
from unmask.core.section import Section, check
from unmask.models.batches import to_pixels, to_unit
from unmask.models.device import choose_device
from unmask.models.folder import load_model, read_config

MASKED, WHOLE = "release/reader", "release/whole_reader"
"""Folders of the readers that come with a clone: of masked faces, and of whole ones."""

_BATCH_SIZE = 128

_ALWAYS_UNSURE = 2.0  # as a threshold: a probability can be 1, and in float32 a little more


class Calibration(Section):
    """`calibration.json` of a model folder; chosen on validation.

    temperature: logits are divided by it. threshold: below this probability of the likeliest
    expression, a reader is unsure; above 1, it always is. risk: the share of wrong answers for
    which that was chosen.
    """

    temperature: float = Field(gt=0)
    threshold: float = Field(ge=0)
    risk: float | None = None

    @classmethod
    def of(cls, confidence: Mapping[str, Any]) -> "Calibration":
        """Return what `evaluation.calibration` chose."""
        least, risk = (confidence["unsure"][key] for key in ("threshold", "risk"))
        threshold = _ALWAYS_UNSURE if least is None else least
        return cls(temperature=confidence["temperature"], threshold=threshold, risk=risk)


@dataclass(frozen=True, eq=False)
class Reader:
    """A model with its calibration, or with None if its folder has none."""

    folder: Path
    model: nn.Module
    view: str
    classes: tuple[str, ...]
    calibration: Calibration | None

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return what faces, uint8 [N,48,48], express: probabilities [N,classes]."""
        heat = self.calibration.temperature if self.calibration else 1.0
        rows = UPPER_ROWS if self.view == "upper" else SIZE
        logits = run(self.model, crops[:, :rows]).double() / heat
        result: NDArray[np.float64] = logits.softmax(1).numpy()
        return result

    @property
    def threshold(self) -> float:
        """Probability below which the reader is unsure; 0 without a calibration."""
        return self.calibration.threshold if self.calibration else 0.0


def released(name: str) -> Path:
    """Return the folder `name` below the working folder if it is there, else that of the clone."""
    return Path(name) if Path(name).is_dir() else Path(unmask.__file__).parents[2] / name


def load_reader(folder: Path, stitched: str | None = None) -> Reader:
    """Return the reader in a model folder; raises UserError if there is none, or another model.

    stitched: the reconstructor whose faces it has to read; None for upper halves or whole faces.
    """
    if not (folder / "config.json").is_file():
        raise UserError(
            f"{folder}: no reader there; "
            "run in a clone of the repository, or give a trained model's folder with --model"
        )
    config = read_config(folder)
    if config.kind != "classifier":
        raise UserError(f"{folder}: a {config.kind}, not a reader; give a classifier's folder")
    if config.view not in ((f"stitched {stitched}",) if stitched else ("upper", "whole")):
        wanted = f"faces stitched by {stitched}" if stitched else "upper halves or whole faces"
        raise UserError(f"{folder}: reads {faces_of(config.view)}; give a reader of {wanted}")
    calibration = None
    if (file := folder / "calibration.json").exists():
        calibration = check(Calibration, read_json(file), file=file)
    model = load_model(folder).to(memory_format=torch.channels_last)  # a fifth faster on a CPU
    return Reader(folder, model, config.view, tuple(config.classes), calibration)


def faces_of(view: str) -> str:
    """Return in words what a classifier of this view sees."""
    words = {"upper": "upper halves", "whole": "whole faces"}
    return words.get(view, f"faces {view.replace(' ', ' by ')}")


def load_reconstructor(folder: Path) -> nn.Module:
    """Return the reconstructor in a model folder; raises UserError if it is another model."""
    if (kind := read_config(folder).kind) != "reconstructor":
        raise UserError(
            f"{folder}: a {kind}; give a reconstructor's folder, such as models/reconstructors/unet"
        )
    return load_model(folder)


def completed(reconstructor: nn.Module, crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return faces, uint8 [N,48,48], whose lower half is drawn by a model."""
    upper, _ = crop(crops)
    return stitch(upper, to_pixels(run(reconstructor, upper)))


@torch.inference_mode()
def run(model: nn.Module, images: NDArray[np.uint8]) -> Tensor:
    """Return a model's output for images, uint8 [N,H,W], N > 0; computed on the best device."""
    device = choose_device()
    model = model.to(device)
    batches = torch.from_numpy(images).unsqueeze(1).split(_BATCH_SIZE)
    return torch.cat([model(to_unit(batch.to(device))).cpu() for batch in batches])

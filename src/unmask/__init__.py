"""Reading the expression of masked faces."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def load(folder: str | Path) -> "nn.Module":
    """Return the trained model in `folder`, on the CPU in evaluation mode, ready to be called.

    folder: one that training wrote, such as `models/baseline`; nothing else is needed. A classifier
    maps faces or upper halves, float [B,1,H,W] in [0,1], to logits [B,7]; a reconstructor maps
    upper halves, float [B,1,24,48] in [0,1], to lower halves of the same shape. `config.json` in
    the folder says which of them it is, and what it was trained on.

    Raises UserError, one line, if the folder is not a model that this version of unmask can read.
    """
    from unmask.models.folder import load_model

    return load_model(folder)

"""Is there a mask? A small network of our own, on faces as `placement` places them.

[B,1,48,48], standardised face by face -> three convolutions with pooling -> [B]

Its weights lie beside this file. It learned from bare faces of FER2013 and the same with masks
drawn on (`mask_training.py`), and was tested on photos of real masks: docs/predict.md.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from unmask.models.folder import load_tensors

WEIGHTS = Path(__file__).with_name("mask_detector.safetensors")
_WIDTHS = (12, 24, 32)


class MaskDetector(nn.Module):
    """Maps faces, float [B,1,48,48], to logits of wearing a mask, [B]."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((1, *_WIDTHS), _WIDTHS, strict=False):
            layers += [
                nn.Conv2d(before, after, 3, padding=1, bias=False),
                nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2),
            ]  # fmt: skip
        self.layers = nn.Sequential(
            *layers, nn.AvgPool2d(2), nn.Flatten(), nn.Dropout(0.3), nn.Linear(_WIDTHS[-1] * 9, 1)
        )

    def forward(self, faces: Tensor) -> Tensor:
        """Return logits; neither brightness nor contrast of a face makes a difference."""
        spread, mean = torch.std_mean(faces, dim=(1, 2, 3), keepdim=True)
        logits: Tensor = self.layers((faces - mean) / (spread + 1e-3)).flatten()
        return logits


def load_mask_detector() -> MaskDetector:
    """Return the trained network, on the CPU in evaluation mode."""
    detector = MaskDetector()
    tensors, _ = load_tensors(WEIGHTS)
    detector.load_state_dict(tensors)
    return detector.eval()

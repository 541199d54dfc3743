"""Control: the lower half of the training face whose upper half is nearest.

    [B,1,24,48] -> nearest of the N training faces' upper halves (squared error) -> its lower half

A face with an identical upper half is skipped: otherwise every training face would get its own true
lower half back, and no test face would.
"""

import torch
from torch import Tensor, nn

from unmask.core.section import Section

_CANDIDATES = 16  # with so many exact copies of an upper half, one of them is used


class Params(Section):
    """Nothing to set."""


class Nearest(nn.Module):
    """Maps an upper half to the lower half of the nearest face that it has observed.

    upper, lower: the observed halves, uint8 [N,1,24,48] each.
    """

    upper: Tensor
    lower: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("upper", "lower"):
            self.register_buffer(name, torch.zeros(0, 1, 24, 48, dtype=torch.uint8))

    def observe(self, upper: Tensor, lower: Tensor) -> None:
        """Remember a batch of faces."""
        self.upper = torch.cat([self.upper, _pixels(upper)])
        self.lower = torch.cat([self.lower, _pixels(lower)])

    def forward(self, upper: Tensor) -> Tensor:
        """Return lower halves, float [B,1,24,48] in [0,1]; black before any face was observed."""
        if not len(self.upper):
            return torch.zeros_like(upper)
        near = self._distances(upper).topk(min(_CANDIDATES, len(self.upper)), largest=False).indices
        same = (self.upper[near] == _pixels(upper).unsqueeze(1)).flatten(2).all(2)
        first = (~same).int().argmax(1, keepdim=True)  # 0 if all are the same
        return self.lower[near.gather(1, first).squeeze(1)].float() / 255

    def _distances(self, upper: Tensor) -> Tensor:
        """Return squared errors [B,N], without a term that is the same for all N."""
        known = self.upper.flatten(1).float() / 255
        return (known**2).sum(1) - 2 * upper.flatten(1) @ known.T

    def _load_from_state_dict(
        self, state_dict: dict[str, Tensor], prefix: str, *rest: object
    ) -> None:
        """Make room for as many faces as were saved; PyTorch refuses buffers of another size."""
        for name in ("upper", "lower"):
            saved = state_dict.get(prefix + name)
            if saved is not None:
                setattr(self, name, torch.empty_like(saved, device=self.upper.device))
        super()._load_from_state_dict(state_dict, prefix, *rest)


def _pixels(images: Tensor) -> Tensor:
    return images.mul(255).round_().to(torch.uint8)


def build(params: Params) -> nn.Module:
    """Return a control that has observed nothing."""
    return Nearest()

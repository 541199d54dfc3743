"""An ensemble: classifiers of one view whose probabilities are averaged (Lakshminarayanan et al.
2017, "Simple and scalable predictive uncertainty estimation using deep ensembles", section 2.4).

    [B,1,H,W] -> each member's softmax -> mean -> logarithm [B,7]
"""

from typing import Any

from pydantic import Field, field_validator
from torch import Tensor, nn

from unmask.core.section import Section
from unmask.models.blocks import log_mean_softmax
from unmask.models.registry import built

_OWN_NAME = "ensemble"


class Member(Section):
    """architecture, settings: file of `classifiers/`, and its settings."""

    architecture: str
    settings: dict[str, Any]

    @field_validator("architecture")
    @classmethod
    def _is_a_network(cls, name: str) -> str:
        if name == _OWN_NAME:
            raise ValueError("an ensemble within an ensemble; list its members instead")
        return name


class Params(Section):
    """members: the classifiers; their weights are `members.0.` and so on."""

    members: list[Member] = Field(min_length=1)


class Ensemble(nn.Module):
    """Maps faces or upper halves, float [B,1,H,W] in [0,1], to logarithms of probabilities."""

    def __init__(self, members: list[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, faces: Tensor) -> Tensor:
        """Return the logarithm of the mean of the members' probabilities, [B,classes].

        Its softmax is that mean, so what reads logits reads these.
        """
        return log_mean_softmax([member(faces) for member in self.members])


def build(params: Params, height: int, width: int, classes: int) -> nn.Module:
    """Return an ensemble of untrained members for images of `height` x `width` pixels."""
    shape = (height, width, classes)
    return Ensemble([
        built("classifiers", member.architecture, member.settings, *shape, file=f"members.{number}")
        for number, member in enumerate(params.members)
    ])  # fmt: skip

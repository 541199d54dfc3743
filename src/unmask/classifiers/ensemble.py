"""An ensemble: classifiers of one view whose probabilities are averaged (Lakshminarayanan et al.
2017, "Simple and scalable predictive uncertainty estimation using deep ensembles", section 2.4).

    [B,1,H,W] -> each member's softmax -> mean -> logarithm [B,7]
"""

import math
from typing import Any

import torch
from pydantic import Field, field_validator
from torch import Tensor, nn

from unmask.core.section import Section, check
from unmask.models.registry import load

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
        logs = torch.stack([member(faces).float().log_softmax(1) for member in self.members])
        return logs.logsumexp(0) - math.log(len(self.members))


def build(params: Params, height: int, width: int, classes: int) -> nn.Module:
    """Return an ensemble of untrained members for images of `height` x `width` pixels."""
    members = []
    for number, member in enumerate(params.members):
        module = load("classifiers", member.architecture, "members")
        settings = check(module.Params, member.settings, f"members.{number}.settings", "settings")
        members.append(module.build(settings, height, width, classes))
    return Ensemble(members)

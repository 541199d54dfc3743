"""A reader of upper halves that imagines the rest: posteriors of whole faces, averaged.

A reconstructor draws lower halves for an upper half, a classifier of true whole faces reads each
of the stitched ones, and its probabilities are averaged. If the halves were drawn from
p(lower | upper) and the classifier were right about whole faces, this would be p(label | upper),
the mean over all that is hidden; nothing is trained on stitched faces.

    [B,1,24,48] -> samples of lower halves -> stitched faces -> softmax of each -> mean -> logarithm
"""

from typing import Any, Protocol, runtime_checkable

import torch
from pydantic import Field
from torch import Tensor, nn

from unmask.core.errors import UserError
from unmask.core.faces import SIZE
from unmask.core.section import Section
from unmask.models.blocks import log_mean_softmax
from unmask.models.registry import built


@runtime_checkable
class Sampler(Protocol):
    """A reconstructor that draws any number of lower halves for one upper half."""

    def sample(self, upper: Tensor, number: int) -> Tensor:
        """Return sample `number`, counted from 0; the first is what the reconstructor returns."""


class Part(Section):
    """architecture, settings: a file of `reconstructors/` or `classifiers/`, and its settings."""

    architecture: str
    settings: dict[str, Any]


class Params(Section):
    """reconstructor: who draws; classifier: who reads whole faces; samples: halves for each face.

    More than one sample needs a reconstructor that draws from noise.
    """

    reconstructor: Part
    classifier: Part
    samples: int = Field(ge=1)


class PosteriorAverage(nn.Module):
    """Maps upper halves, float [B,1,24,48] in [0,1], to logarithms of probabilities."""

    def __init__(self, reconstructor: nn.Module, classifier: nn.Module, samples: int) -> None:
        super().__init__()
        self.reconstructor, self.classifier, self.samples = reconstructor, classifier, samples

    def forward(self, upper: Tensor) -> Tensor:
        """Return the logarithm of the mean of the probabilities, [B,classes]."""
        return log_mean_softmax([
            self.classifier(torch.cat([upper, self._drawn(upper, number)], dim=2))
            for number in range(self.samples)
        ])  # fmt: skip

    def _drawn(self, upper: Tensor, number: int) -> Tensor:
        """Return lower halves rounded to the 256 grey values of a picture, as when stitched."""
        if isinstance(self.reconstructor, Sampler):
            lower = self.reconstructor.sample(upper, number)
        else:
            lower = self.reconstructor(upper)
        return (255 * lower).round() / 255


def build(params: Params, height: int, width: int, classes: int) -> nn.Module:
    """Return an untrained one; raises UserError if the reconstructor has only one half to draw."""
    drawing, reading = params.reconstructor, params.classifier
    reconstructor = built(
        "reconstructors", drawing.architecture, drawing.settings, file="reconstructor"
    )
    if params.samples > 1 and not isinstance(reconstructor, Sampler):
        raise UserError(
            f"{drawing.architecture} always draws the same half, so {params.samples} "
            "samples are one; set samples to 1"
        )
    shape = (SIZE, SIZE, classes)
    classifier = built(
        "classifiers", reading.architecture, reading.settings, *shape, file="classifier"
    )
    return PosteriorAverage(reconstructor, classifier, params.samples)

"""Adversarial reconstruction: a conditional GAN with a distance beside it (pix2pix).

Isola et al. 2017, "Image-to-image translation with conditional adversarial networks", section 3:
the discriminator sees the upper half together with the real or the generated lower half and judges
patches; the generator is also held near the true half by a distance. What the field has learned
since, and what differs:

- the discriminator is normalised spectrally (Miyato et al. 2018), which keeps its gradient bounded;
- the hinge loss (Lim and Ye 2017) is the default, the non-saturating one (Goodfellow et al. 2014)
  a choice;
- the two halves are stitched, not stacked as channels: they are neighbours, and what gives a
  generated half away is often the seam;
- no noise is fed to the generator: pix2pix found that it learns to ignore it. Dropout stays.

What came later is a choice: the relativistic loss, in which real and generated faces are judged in
pairs (Jolicoeur-Martineau 2019; Huang et al. 2024, "The GAN is dead; long live the GAN!", section
2), the penalty R1 in place of the spectral norm (Mescheder, Geiger and Nowozin 2018, equation 9),
and faces that are altered before either is judged (Zhao et al. 2020, "Differentiable augmentation";
their colour and cutout). A moving average of the generator is `average` among its training
settings.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from unmask.models.batches import Batch, to_unit
from unmask.models.distance import Distance, distance
from unmask.params.models import Training
from unmask.training.objective import Objective, reconstructor_inputs, step, trainable
from unmask.training.optimiser import optimiser_of
from unmask.training.process_group import Compute

_BETAS = (0.5, 0.999)  # of Adam, as in pix2pix: a long memory lets the two chase each other
_WINS, _GUESSES = 0.99, 0.51


class Params(Distance):
    """adversarial: weight of the adversarial loss beside the distance.

    gan_loss: `hinge`, `non_saturating` or `relativistic`.
    r1: weight of the squared gradient of the discriminator at real faces.
    spectral_norm: whether the discriminator has it.
    augment: whether faces change their brightness and contrast, and lose a square of half their
        side, before the discriminator sees them.
    discriminator_width: filters of the discriminator's first layer.
    discriminator_learning_rate: as a multiple of the generator's (Heusel et al. 2017).
    """

    adversarial: float = Field(default=0.01, gt=0)
    gan_loss: Literal["hinge", "non_saturating", "relativistic"] = "hinge"
    r1: float = Field(default=0.0, ge=0)
    spectral_norm: bool = True
    augment: bool = False
    discriminator_width: int = Field(default=32, ge=1)
    discriminator_learning_rate: float = Field(default=1.0, gt=0)


class PatchDiscriminator(nn.Module):
    """Maps stitched faces, float [B,1,48,48] in [-1,1], to logits of being real, [B,1,5,5].

    4x4 convolutions with stride 2: w x 24x24 -> 2w x 12x12 -> 4w x 6x6, leaky ReLU, then one of
    stride 1. Each logit judges a patch.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, filters in ((1, width), (width, 2 * width), (2 * width, 4 * width)):
            layers += [
                nn.Conv2d(inputs, filters, kernel_size=4, stride=2, padding=1),
                nn.LeakyReLU(0.2),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv2d(4 * width, 1, kernel_size=4, padding=1))

    def forward(self, faces: Tensor) -> Tensor:
        """Return logits."""
        logits: Tensor = self.layers(faces)
        return logits


class Adversarial(Objective):
    """Teaches a generator from batches with `upper` and `lower`, and a discriminator.

    The discriminator is the generator's own, if it has a method `discriminator(width)`, otherwise
    the PatchDiscriminator. Early stopping watches the distance on validation: adversarial losses
    compare the two networks with each other, and do not say how good the pictures are.
    """

    def __init__(
        self, model: nn.Module, params: Params, settings: Training, compute: Compute
    ) -> None:
        super().__init__(model)
        self._weights = trainable(model)
        own = getattr(model, "discriminator", PatchDiscriminator)
        self._discriminator: nn.Module = own(params.discriminator_width)
        if params.spectral_norm:
            _normalise_spectrally(self._discriminator)
        self.helpers = {"discriminator": self._discriminator}
        self._params, self._settings, self._compute = params, settings, compute
        rate = settings.learning_rate * params.discriminator_learning_rate
        self.optimisers = [
            optimiser_of(self._weights, settings, betas=_BETAS),
            optimiser_of(self._discriminator.parameters(), settings, rate, _BETAS),
        ]

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        """Let the discriminator take one step, then the generator; return the figures of both."""
        upper, lower = to_unit(batch["upper"]), to_unit(batch["lower"])
        generated = self._generate(batch)
        faces = self._faces(upper, lower).requires_grad_(bool(self._params.r1))
        drawn = self._faces(upper, generated.detach())
        real, fake = self._judge(torch.cat([faces, drawn])).chunk(2)
        step(
            discriminator_loss := self._discriminator_loss(real, fake) + self._penalty(real, faces),
            self.optimisers[1],
            list(self._discriminator.parameters()),
            self._settings,
            self._compute.group,
        )
        # The generator's step needs the gradient through the discriminator, not of it.
        self._discriminator.requires_grad_(False)
        judged = self._judge(self._faces(upper, generated))
        adversarial_loss = self._generator_loss(judged, upper, lower)
        pixel_loss = distance(generated, lower, self._params)
        step(
            pixel_loss + self._params.adversarial * adversarial_loss,
            self.optimisers[0],
            self._weights,
            self._settings,
            self._compute.group,
        )
        self._discriminator.requires_grad_(True)
        right = self._right(real, fake)
        return {
            "loss": pixel_loss,
            "generator_loss": adversarial_loss,
            "discriminator_loss": discriminator_loss,
            "discriminator_accuracy": right,
        }

    def measure(self, batch: Batch) -> dict[str, Tensor]:
        """Return the mean distance of the batch."""
        return {"loss": distance(self._generate(batch), to_unit(batch["lower"]), self._params)}

    def faults(self, figures: Mapping[str, float]) -> list[str]:
        """Return a line if the discriminator has collapsed: it has won, or it guesses."""
        accuracy = figures["train/discriminator_accuracy"]
        if accuracy > _WINS:
            return [f"discriminator collapsed: right about {accuracy:.1%}, it no longer teaches"]
        if accuracy < _GUESSES:
            return [f"discriminator collapsed: right about {accuracy:.1%}, it guesses"]
        return []

    def _generate(self, batch: Batch) -> Tensor:
        with self._compute.autocast():
            generated: Tensor = self.model(*reconstructor_inputs(batch))
        return generated.float()

    def _faces(self, upper: Tensor, lower: Tensor) -> Tensor:
        """Return stitched faces as the discriminator sees them.

        From -1 to 1: the spectral norm keeps what is common to all faces from being scaled away,
        and a few layers on it drowns what tells them apart.
        """
        faces = 2 * torch.cat([upper, lower], dim=2) - 1
        return _altered(faces) if self._params.augment else faces

    def _judge(self, faces: Tensor) -> Tensor:
        with self._compute.autocast():
            logits: Tensor = self._discriminator(faces)
        return logits.float()

    def _discriminator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        if self._params.gan_loss == "hinge":
            return functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()
        if self._params.gan_loss == "relativistic":
            return functional.softplus(fake - real).mean()
        return functional.softplus(-real).mean() + functional.softplus(fake).mean()

    def _generator_loss(self, fake: Tensor, upper: Tensor, lower: Tensor) -> Tensor:
        if self._params.gan_loss == "hinge":
            return -fake.mean()
        if self._params.gan_loss == "relativistic":
            return functional.softplus(self._judge(self._faces(upper, lower)) - fake).mean()
        return functional.softplus(-fake).mean()

    def _penalty(self, real: Tensor, faces: Tensor) -> Tensor:
        """Return the weighted penalty R1 of the logits of real faces."""
        if not self._params.r1:
            return torch.zeros((), device=real.device)
        logits = real.mean((1, 2, 3)).sum()  # of each face for itself
        (slope,) = torch.autograd.grad(logits, faces, create_graph=True)
        return self._params.r1 / 2 * slope.square().sum((1, 2, 3)).mean()

    def _right(self, real: Tensor, fake: Tensor) -> Tensor:
        if self._params.gan_loss == "relativistic":
            return (real > fake).float().mean()
        return ((real > 0).float().mean() + (fake < 0).float().mean()) / 2


def _altered(faces: Tensor) -> Tensor:
    """Alter each face of [B,1,H,W] in its own way, by what has a gradient."""
    count, _, height, width = faces.shape
    brightness, contrast, top, left = torch.rand(4, count, 1, 1, 1, device=faces.device)
    middle = faces.mean((1, 2, 3), keepdim=True)
    faces = (faces - middle) * (contrast + 0.5) + middle + brightness - 0.5
    rows = torch.arange(height, device=faces.device).view(1, 1, -1, 1) - (top * height).floor()
    columns = torch.arange(width, device=faces.device).view(1, 1, 1, -1) - (left * width).floor()
    high, wide = height // 4, width // 4
    hidden = (-high <= rows) & (rows < high) & (-wide <= columns) & (columns < wide)
    return faces.masked_fill(hidden, 0.0)


def _normalise_spectrally(discriminator: nn.Module) -> None:
    for module in discriminator.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            spectral_norm(module)


def build(model: nn.Module, params: Params, settings: Training, compute: Compute) -> Adversarial:
    """Return the objective for `model`, the generator."""
    return Adversarial(model, params, settings, compute)

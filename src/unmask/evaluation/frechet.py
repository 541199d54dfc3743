"""How far the distribution of generated faces is from that of true ones."""

import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance


def frechet_distance(classifier: nn.Module) -> FrechetInceptionDistance:
    """Return the Frechet distance (Heusel et al. 2017) in the features of `classifier`.

    Those are what its last linear layer reads: Inception's, on which the distance is usually taken,
    mean little on grey faces of 48x48 pixels. The result is a metric of torchmetrics; update it
    with faces as `classifier` takes them, and `real` True or False.
    """
    return FrechetInceptionDistance(feature=_LastFeatures(classifier))


class _LastFeatures(nn.Module):
    """Maps faces to the input of the classifier's last linear layer, [B,num_features]."""

    def __init__(self, classifier: nn.Module) -> None:
        super().__init__()
        self.classifier = classifier
        last = [module for module in classifier.modules() if isinstance(module, nn.Linear)][-1]
        self.num_features = last.in_features
        last.register_forward_pre_hook(self._keep)

    def forward(self, faces: Tensor) -> Tensor:
        with torch.inference_mode():
            self.classifier(faces)
        return self._features

    def _keep(self, module: nn.Module, inputs: tuple[Tensor]) -> None:
        self._features = inputs[0]

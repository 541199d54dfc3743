"""Building the models that `params.yaml` names."""

from torch import nn

from unmask.core.faces import CLASSES
from unmask.core.params.models import Named, Reconstructor
from unmask.core.params.registry import load
from unmask.core.params.section import check


def build_classifier(classifier: Named, shape: tuple[int, ...]) -> nn.Module:
    """Return an untrained classifier for images of `shape` (height, width)."""
    module = load("classifiers", classifier.name)
    params = check(module.Params, classifier.settings, "classifier")
    model: nn.Module = module.build(params, *shape, len(CLASSES))
    return model


def build_reconstructor(name: str, entry: Reconstructor) -> nn.Module:
    """Return the untrained reconstructor `name`, as its entry in `params.yaml` describes it."""
    module = load("reconstructors", name)
    params = check(module.Params, entry.settings, f"reconstructors.{name}")
    model: nn.Module = module.build(params)
    return model

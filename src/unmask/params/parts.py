"""Settings that only one network or one objective knows, checked before anything runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unmask.core.errors import UserError
from unmask.core.section import FILE, check
from unmask.models.registry import load
from unmask.params.models import ObjectiveEntry
from unmask.params.schema import Params, absent

_PUBLISHED = {"efficientnet_lite0": "package"}
"""What `pretrained` calls the published weights of a network, if not `imagenet`."""

# Their keys are those of `_ADDED` in `params.models`, whose edits would rerun all training.
_ADDED = {"view": "upper", "teachers": ["teacher"], "counts": [1]}
"""Of an objective's settings, those that the stage which trains adds, here as examples."""


def check_parts(params: Params) -> None:
    """Raise UserError, one line that names the key, for settings that a part does not know.

    Parts are the entries of `classifiers`, `reconstructors` and `readers`. All their files are
    imported, and PyTorch with them: a few seconds, but a misspelt width would otherwise show only
    when its turn to be trained has come. Whether a network suits its objective still does.
    """
    for name, classifier in params.classifiers.items():
        _check("classifiers", name, classifier.settings, f"classifiers.{name}")
    for name, model in params.reconstructors.items():
        key = f"reconstructors.{name}"
        _check("reconstructors", name, model.settings, key)
        _check_objective(model.objective, key)
    for name, reader in params.readers.items():
        key, classifier = f"readers.{name}", reader.classifier
        _check("classifiers", classifier.name, classifier.settings, f"{key}.classifier")
        _check_objective(reader.objective, key)


def _check(family: str, name: str, settings: Mapping[str, Any], key: str) -> None:
    checked = check(load(family, name).Params, settings, key)
    weights, published = getattr(checked, "pretrained", "none"), _PUBLISHED.get(name, "imagenet")
    if weights in ("none", published):
        return
    if not Path(weights).exists():
        raise absent(f"{key}.pretrained", weights, f"set it to none or {published}")
    if not Path(weights).is_file():
        raise UserError(f"{FILE}: {key}.pretrained: {weights}: a folder; name the file in it")


def _check_objective(objective: ObjectiveEntry, key: str) -> None:
    allowed = load("objectives", objective.name).Params
    added = {name: value for name, value in _ADDED.items() if name in allowed.model_fields}
    check(allowed, {**objective.settings, **added}, f"{key}.objective")

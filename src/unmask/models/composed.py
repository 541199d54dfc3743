"""Models that are made of trained ones, and learn nothing themselves."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from torch import nn

from unmask.core.faces import SIZE
from unmask.core.files import atomic_folder, read_json, write_json
from unmask.core.mask import UPPER_ROWS
from unmask.models.folder import (
    ModelConfig,
    build,
    classifier_config,
    load_model,
    read_config,
    save_model,
)

_ENSEMBLE, _POSTERIOR_AVERAGE = "ensemble", "posterior_average"  # their files in classifiers/


class Composed(NamedTuple):
    """A model, what `config.json` says about it, and what `training.json` does."""

    model: nn.Module
    config: ModelConfig
    facts: dict[str, Any]

    def save(self, folder: Path) -> None:
        """Write it as a model folder."""
        with atomic_folder(folder) as temporary:
            save_model(self.model, self.config, temporary)
            write_json(temporary / "training.json", self.facts)


def ensemble(folders: Sequence[Path]) -> Composed:
    """Return one model of the readers in `folders`, those of other ensembles among them.

    The folders are below models/readers, and their readers share a view. Its accuracy while it
    learned is the mean of theirs.
    """
    described: list[dict[str, Any]] = []
    networks: list[nn.Module] = []
    for folder in folders:
        config, model = read_config(folder), load_model(folder)
        if config.architecture == _ENSEMBLE:
            described += config.settings["members"]
            networks += model.get_submodule("members").children()
        else:
            described.append(_part(config))
            networks.append(model)

    first = read_config(folders[0])
    trained = {"members": [str(folder.relative_to("models/readers")) for folder in folders]}
    config = classifier_config(
        _ENSEMBLE, {"members": described}, first.view, tuple(first.input_shape[1:]), trained
    )
    model = build(config)
    for own, network in zip(model.get_submodule("members").children(), networks, strict=True):
        own.load_state_dict(network.state_dict())

    training = [read_json(folder / "training.json") for folder in folders]
    best = {"train/accuracy": fmean(run["best"]["train/accuracy"] for run in training)}
    return Composed(model, config, _facts(training, best))


def posterior_average(reconstructor: Path, reader: Path, samples: int) -> Composed:
    """Return one model of a reconstructor, which draws `samples` halves, and a reader of faces.

    Its accuracy while it learned is the reader's, from true faces.
    """
    folders = {"reconstructor": reconstructor, "classifier": reader}
    parts = {part: _part(read_config(folder)) for part, folder in folders.items()}
    trained = {part: str(folder) for part, folder in folders.items()}
    settings = {**parts, "samples": samples}
    config = classifier_config(_POSTERIOR_AVERAGE, settings, "upper", (UPPER_ROWS, SIZE), trained)
    model = build(config)
    for part, folder in folders.items():
        model.get_submodule(part).load_state_dict(load_model(folder).state_dict())

    training = [read_json(folder / "training.json") for folder in (reader, reconstructor)]
    return Composed(model, config, _facts(training, training[0]["best"]))


def _part(config: ModelConfig) -> dict[str, Any]:
    return {"architecture": config.architecture, "settings": config.settings}


def _facts(training: Sequence[Mapping[str, Any]], best: Mapping[str, Any]) -> dict[str, Any]:
    pretrained = (run.get("pretrained") for run in training)
    return {
        "parameters": sum(run["parameters"] for run in training),
        "pretrained": ", ".join(dict.fromkeys(filter(None, pretrained))) or None,
        "best": best,
        "environment": training[0]["environment"],
    }

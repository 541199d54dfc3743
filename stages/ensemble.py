"""Make one of `ensembles` in params.yaml: one model that holds all networks of its members.

Reads models/readers/MEMBER; writes models/readers/E/all and, for its students, a copy in
models/teachers/E/seeds.
"""

from pathlib import Path
from statistics import fmean
from typing import Any

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.files import atomic_folder, read_json, write_json
from unmask.core.section import read
from unmask.models.folder import build, classifier_config, load_model, read_config, save_model
from unmask.models.readers import model_folders
from unmask.params.readers import Ensemble

_NAME = "ensemble"  # its file in classifiers/


def main(name: str) -> None:
    """Run the stage for the ensemble `name`."""
    members = dict.fromkeys(read(Ensemble, f"ensembles.{name}").members)
    folders = [folder for member in members for folder in model_folders(f"models/readers/{member}")]
    described: list[dict[str, Any]] = []
    networks: list[Any] = []
    for folder in folders:
        config, model = read_config(folder), load_model(folder)
        if config.architecture == _NAME:
            described += config.settings["members"]
            networks += model.get_submodule("members").children()
        else:
            described.append({"architecture": config.architecture, "settings": config.settings})
            networks.append(model)

    trained = {"members": [str(folder.relative_to("models/readers")) for folder in folders]}
    shape = tuple(config.input_shape[1:])
    config = classifier_config(_NAME, {"members": described}, config.view, shape, trained)
    ensemble = build(config)
    for own, network in zip(ensemble.get_submodule("members").children(), networks, strict=True):
        own.load_state_dict(network.state_dict())

    training = [read_json(folder / "training.json") for folder in folders]
    running = fmean(run["best"]["train/accuracy"] for run in training)
    facts = {
        "parameters": sum(run["parameters"] for run in training),
        "best": {"train/accuracy": running},  # the mean of its members
        "environment": training[0]["environment"],
    }
    for place in (f"models/readers/{name}/all", f"models/teachers/{name}/seeds/all"):
        with atomic_folder(Path(place)) as folder:
            save_model(ensemble, config, folder)
            write_json(folder / "training.json", facts)


if __name__ == "__main__":
    stage.run(main)

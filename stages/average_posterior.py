"""Make one of `posterior_averages` in params.yaml: a reconstructor and a reader of whole faces.

Reads models/reconstructors/M and models/readers/R; writes models/readers/A/SEED, a model for each
seed of the reader.
"""

from pathlib import Path

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.faces import SIZE
from unmask.core.files import atomic_folder, read_json, write_json
from unmask.core.section import read
from unmask.models.folder import build, classifier_config, load_model, read_config, save_model
from unmask.models.readers import model_folders
from unmask.params.readers import PosteriorAverage

_NAME = "posterior_average"  # its file in classifiers/


def main(name: str) -> None:
    """Run the stage for the entry `name`."""
    entry = read(PosteriorAverage, f"posterior_averages.{name}")
    drawing = Path("models/reconstructors") / entry.reconstructor
    for reading in model_folders(f"models/readers/{entry.reader}"):
        folders = {"reconstructor": drawing, "classifier": reading}
        configs = {part: read_config(folder) for part, folder in folders.items()}
        described = {
            part: {"architecture": config.architecture, "settings": config.settings}
            for part, config in configs.items()
        }
        config = classifier_config(
            _NAME, {**described, "samples": entry.samples}, "upper", (SIZE // 2, SIZE),
            {part: str(folder) for part, folder in folders.items()},
        )  # fmt: skip
        model = build(config)
        for part, folder in folders.items():
            model.get_submodule(part).load_state_dict(load_model(folder).state_dict())

        training = {part: read_json(folder / "training.json") for part, folder in folders.items()}
        facts = {
            "parameters": sum(run["parameters"] for run in training.values()),
            "best": training["classifier"]["best"],  # while it learned, from true faces
            "environment": training["classifier"]["environment"],
        }
        with atomic_folder(Path("models/readers") / name / reading.name) as folder:
            save_model(model, config, folder)
            write_json(folder / "training.json", facts)


if __name__ == "__main__":
    stage.run(main)

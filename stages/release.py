"""Make one trained reader ready for others, the one that `release` in params.yaml names.

Reads models/readers/R, readers/metrics/R and data/faces/meta.json; writes release/model: weights
as float16, config.json, calibration.json, model.onnx, and the model card, README.md.
"""

from pathlib import Path

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.errors import UserError
from unmask.core.files import atomic_folder, read_json, write_json
from unmask.core.section import FILE, read
from unmask.models.folder import load_model, read_config, save_model
from unmask.models.readers import one_of, source_of_faces
from unmask.params.models import Evaluate
from unmask.params.release import Release
from unmask.photos.reader import Calibration
from unmask.release.card import card, of_pipeline
from unmask.release.export import graph, write_onnx

FOLDER = "release/model"


def main() -> None:
    """Run the stage."""
    chosen = read(Release, "release")
    if read(Evaluate, "evaluate").augment:  # its figures would be those of another reader
        raise UserError(
            f"{FILE}: evaluate.augment: true, but a released reader looks once; set it to false"
        )
    source = Path("models/readers") / chosen.reader / str(chosen.seed)
    config, model = read_config(source), load_model(source)
    found = read_json(one_of(chosen.reader, source.name, config.view).metrics)

    with atomic_folder(Path(FOLDER)) as folder:
        save_model(model.half(), config, folder)
        write_json(folder / "calibration.json", Calibration.of(found["confidence"]).model_dump())
        write_onnx(graph(folder), folder / "model.onnx")
        weights = sum(weight.numel() for weight in model.parameters())
        about = of_pipeline(chosen.reader, source.name, FOLDER, source_of_faces())
        text = card(
            about, config, weights, found["test"]["confusion"], found["confidence"]["unsure"]
        )
        (folder / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    stage.run(main)

"""Make one of `ensembles` in params.yaml: one model that holds all networks of its members.

Reads models/readers/MEMBER; writes models/readers/E/all and, for its students, a copy in
models/teachers/E/seeds.
"""

from pathlib import Path

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.section import read
from unmask.models.composed import ensemble
from unmask.models.readers import model_folders
from unmask.params.readers import Ensemble


def main(name: str) -> None:
    """Run the stage for the ensemble `name`."""
    members = dict.fromkeys(read(Ensemble, f"ensembles.{name}").members)
    folders = [folder for member in members for folder in model_folders(f"models/readers/{member}")]

    made = ensemble(folders)

    for place in (f"models/readers/{name}/all", f"models/teachers/{name}/seeds/all"):
        made.save(Path(place))


if __name__ == "__main__":
    stage.run(main)

"""Check the whole of params.yaml, so that a mistake in it stops the pipeline with one line.

DVC by itself does not look at keys that no stage names. Writes data/models.json: the names of the
reconstructors, and the one of the headline; and data/checked, which the first stage that could fail
on a wrong value waits for.
"""

from pathlib import Path

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.files import atomic_write, write_json
from unmask.params.schema import read_all
from unmask.sources.text import refuse_unrecordable


def main() -> None:
    """Run the stage."""
    params = read_all()
    for path in (params.data.source, params.data.votes):
        refuse_unrecordable(Path(path))  # DVC would fail on it, and name no file

    models = {"headline": params.recon.model, "reconstructors": list(params.reconstructors)}

    write_json("data/models.json", models)
    with atomic_write("data/checked") as temporary:
        temporary.write_text("params.yaml\n", encoding="ascii")


if __name__ == "__main__":
    stage.run(main)

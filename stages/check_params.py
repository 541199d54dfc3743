"""Check the whole of params.yaml, so that a mistake in it stops the pipeline with one line.

DVC by itself does not look at keys that no stage names. Writes data/reconstructors.json, the names
that `sheet` and `compare` go through, and data/checked, which the first stages that could fail on a
wrong value wait for.
"""

from pathlib import Path

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.files import atomic_write, write_json
from unmask.params.parts import check_parts
from unmask.params.schema import read_all
from unmask.sources.text import refuse_unrecordable


def main() -> None:
    """Run the stage."""
    params = read_all()
    check_parts(params)
    for path in (params.data.source, params.data.votes):
        refuse_unrecordable(Path(path))  # DVC would fail on it, and name no file

    write_json("data/reconstructors.json", {"names": list(params.reconstructors)})
    with atomic_write("data/checked") as temporary:
        temporary.write_text("params.yaml\n", encoding="ascii")


if __name__ == "__main__":
    stage.run(main)

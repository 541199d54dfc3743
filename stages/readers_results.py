"""Put all readers and ensembles side by side.

Reads readers/metrics, readers/teachers, data/readers/predictions and data/faces/meta.json; writes
readers/results.json, the same as a table in results.md and as a figure in results.png.
"""

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.files import atomic_write, write_json
from unmask.core.section import read
from unmask.evaluation.readers import draw, markdown, results
from unmask.params.readers import Unsure, read_readers


def main() -> None:
    """Run the stage."""
    readers, ensembles = read_readers()
    figures = results(readers, ensembles, read(Unsure, "unsure").risk)
    text = markdown(figures)

    write_json("readers/results.json", figures)
    with atomic_write("readers/results.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
    with atomic_write("readers/results.png") as temporary:
        draw(figures).savefig(temporary, format="png", dpi=150)
    print(text)


if __name__ == "__main__":
    stage.run(main)

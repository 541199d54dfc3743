"""Put the experiments of the laboratory side by side.

Reads laboratory/metrics, data/laboratory/predictions, the training.json of
models/laboratory/classifiers and data/faces/meta.json; writes laboratory/results.json, the same as
a table in results.md and as a figure in results.png.
"""

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.files import atomic_write, write_json
from unmask.core.section import read
from unmask.laboratory.results import draw, markdown, results
from unmask.params.experiments import read_experiments
from unmask.params.models import Recon


def main() -> None:
    """Run the stage."""
    figures = results(read(Recon, "recon").model, read_experiments())
    text = markdown(figures)

    write_json("laboratory/results.json", figures)
    with atomic_write("laboratory/results.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
    with atomic_write("laboratory/results.png") as temporary:
        draw(figures).savefig(temporary, format="png", dpi=150)
    print(text)


if __name__ == "__main__":
    stage.run(main)

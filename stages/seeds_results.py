"""Put the results of all seeds side by side.

Reads seeds/metrics and data/faces/meta.json; writes seeds/results.json and the same as a table,
seeds/results.md.
"""

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.files import atomic_write, write_json
from unmask.core.section import read
from unmask.evaluation.seeds import markdown, results
from unmask.params.experiments import Evaluate
from unmask.params.models import Recon


def main() -> None:
    """Run the stage."""
    figures = results(read(Recon, "recon").model, read(Evaluate, "evaluate").seeds)
    text = markdown(figures)

    write_json("seeds/results.json", figures)
    with atomic_write("seeds/results.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    stage.run(main)

"""Put side by side what the seeds came to.

Reads seeds/metrics and data/faces/meta.json; writes seeds/results.json and the same as a table,
seeds/results.md.
"""

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.files import whole_file, write_json
from unmask.core.params.models import Recon
from unmask.core.params.section import read
from unmask.seeds.params import Evaluate
from unmask.seeds.results import markdown, results


def main() -> None:
    """Run the stage."""
    figures = results(read(Recon, "recon").model, read(Evaluate, "evaluate").seeds)
    text = markdown(figures)

    write_json("seeds/results.json", figures)
    with whole_file("seeds/results.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    stage.run(main)

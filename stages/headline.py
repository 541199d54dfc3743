"""Say what the reconstruction of `recon.model` was worth: baseline, final, ceiling and the gain.

Reads the metrics and test predictions of those three; writes metrics/headline.json.
"""

import _source  # noqa: F401

from unmask.comparison.reconstructors import headline, in_a_line
from unmask.core import stage
from unmask.core.files import write_json
from unmask.core.section import read
from unmask.params.models import Recon


def main() -> None:
    """Run the stage."""
    model = read(Recon, "recon").model

    figures = headline(model)

    # No stage reads this one, and `dvc metrics diff` would show its checksum.
    write_json("metrics/headline.json", figures, bare=True)
    print(in_a_line(figures))


if __name__ == "__main__":
    stage.run(main)

"""Say what the reconstruction of `recon.model` was worth: baseline, final, ceiling and the gain.

Reads the metrics and test predictions of those three; writes metrics/headline.json.
"""

import _source  # noqa: F401

from unmask.base import stage
from unmask.base.files import write_json
from unmask.evaluation.headline import headline
from unmask.params.models import Recon
from unmask.params.section import read


def main() -> None:
    """Run the stage."""
    model = read(Recon, "recon").model

    figures = headline(model)

    write_json("metrics/headline.json", figures)


if __name__ == "__main__":
    stage.run(main)

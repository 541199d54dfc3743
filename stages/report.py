"""Put everything that was found on one page.

Reads metrics, data/predictions, config.json and training.json of the models, data/sheet.png,
data/faces/meta.json and params.yaml, and of all these only what params.yaml names; writes
report/index.html, which needs no other file and no network.
"""

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.files import atomic_write
from unmask.report.page import page


def main() -> None:
    """Run the stage."""
    text = page()

    with atomic_write("report/index.html") as temporary:
        temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    stage.run(main)

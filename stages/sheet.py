"""Draw all reconstructors side by side on the same validation faces.

Reads data/faces (no label), data/reconstructors.json and all of data/stitched; writes
data/sheet.png.
"""

from pathlib import Path

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.files import open_array, read_json
from unmask.pictures import save_sheet


def main() -> None:
    """Run the stage."""
    true = open_array("data/faces/images.npy")
    split = open_array("data/faces/split.npy")
    names = read_json("data/reconstructors.json")["names"]
    stitched = {name: open_array(f"data/stitched/{name}/faces.npy") for name in names}

    save_sheet(Path("data/sheet.png"), true, stitched, split)


if __name__ == "__main__":
    stage.run(main)

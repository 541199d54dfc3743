"""Place every face on the mask's edge, or pass the faces on as they came, as `placement` says.

Reads data/ingested; writes data/faces, the same face set with the placed images, and
metrics/placement.json. `rows` needs no face models; `landmarks` and `eyes` take the ones that
`unmask fetch face-models` gets, and 10 to 30 ms a face and core. They start from the first face
when they are interrupted: FER2013 takes minutes.
"""

import shutil
from pathlib import Path

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.faces import FaceSet
from unmask.core.files import atomic_folder, write_json
from unmask.params.data import read_placement

_FROM = Path("data/ingested")


def main() -> None:
    """Run the stage."""
    placement = read_placement()
    faces = FaceSet.open(_FROM)

    with atomic_folder("data/faces") as folder:
        for file in _FROM.iterdir():
            shutil.copyfile(file, folder / file.name)
        figures = {"placement": placement, "faces": len(faces)}
        if placement != "rows":
            from unmask.photos.alignment import place_face_set  # rows are placed without it

            figures |= place_face_set(faces, placement, folder)

    write_json("metrics/placement.json", figures)


if __name__ == "__main__":
    stage.run(main)

"""The sheet of all reconstructors."""

import numpy as np
from PIL import Image

from unmask.pictures import save_sheet


def test_every_reconstructor_stands_beside_the_same_faces(tmp_path):
    random = np.random.default_rng(0)
    true = random.integers(0, 256, (30, 48, 48), dtype=np.uint8)
    split = np.repeat(np.arange(3, dtype=np.uint8), 10)
    stitched = {"dark": np.zeros_like(true), "light": np.full_like(true, 200)}
    save_sheet(tmp_path / "sheet.png", true, stitched, split)
    with Image.open(tmp_path / "sheet.png") as image:
        sheet = np.asarray(image)
    assert sheet.shape[1] == 4 * (3 * 48 + 4) + 4
    first = sheet[18 : 18 + 144]
    for column, expected in ((1, np.zeros((48, 48))), (2, np.full((48, 48), 200)), (3, true[10])):
        left = 4 + column * 148
        np.testing.assert_array_equal(first[::3, left : left + 144 : 3], expected)

"""`unmask sheet`: faces of one's own as several reconstructors complete them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_reader import noise

STEP = 3 * 48 + 4  # from one face on a sheet to the next


@pytest.fixture
def crops(tmp_path, monkeypatch):
    """The working folder, with three faces in the folder `faces`: grey values [3,48,48]."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "faces").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (3, 48, 48), dtype=np.uint8)
    for number, face in enumerate(pixels):
        Image.fromarray(face).save(f"faces/{number}.png")
    return pixels


def cells(path):
    """Return the faces on a sheet, uint8 [rows,columns,48,48]."""
    pixels = np.asarray(Image.open(path))
    rows = range(18, pixels.shape[0] - 4, STEP)
    columns = range(4, pixels.shape[1] - 4, STEP)
    return np.array([[pixels[y : y + 144 : 3, x : x + 144 : 3] for x in columns] for y in rows])


def test_each_face_has_a_row_and_each_reconstructor_a_column(crops, unmask_command, models):
    both = [("--completion", models / "reconstructors" / name) for name in ("mirror", "other")]
    done = unmask_command(
        "sheet", "faces", "--faces-are-cropped", *both[0], *both[1], "--output", "new/sheet.png"
    )
    assert (done.status, done.err) == (0, [])
    assert done.out[:3] == [f"row {n}: faces/{n - 1}.png, face 1 of 1" for n in (1, 2, 3)]
    assert "drawn by a model" in done.out[3]
    found = cells("new/sheet.png")
    assert found.shape[:2] == (3, 4)
    drawn = np.concatenate([crops[:, :24], crops[:, 23::-1]], axis=1)
    np.testing.assert_array_equal(found[:, 0, :24], crops[:, :24])
    assert (found[:, 0, 24:] == 128).all()
    np.testing.assert_array_equal(found[:, 1], drawn)
    np.testing.assert_array_equal(found[:, 2], drawn)
    np.testing.assert_array_equal(found[:, 3], crops)


def test_faces_are_found_in_photos(photos, unmask_command, mirror):
    Image.fromarray(noise()).save(photos / "noise.png")
    done = unmask_command("sheet", "album", "--completion", mirror, "--output", "sheet.png")
    assert done.status == 0
    assert done.out[:2] == [
        "row 1: album/bare.png, face 1 of 1", "row 2: album/more/masked.jpg, face 1 of 1"
    ]  # fmt: skip
    assert done.err[-1].startswith("note: album/noise.png: no face found; ")
    assert len(cells("sheet.png")) == 2


def test_bad_photos_are_named_and_the_others_shown(crops, unmask_command, mirror):
    Path("faces/0.png").write_text("no picture")
    words = ["--faces-are-cropped", "--completion", mirror, "--output", "sheet.png"]
    done = unmask_command("sheet", "faces", "gone.png", *words)
    assert done.status == 1
    assert [line.split(":")[1] for line in done.err] == [" gone.png", " faces/0.png"]
    np.testing.assert_array_equal(cells("sheet.png")[:, 2], crops[1:])


def test_no_more_faces_are_shown_than_asked_for(crops, unmask_command, mirror):
    words = ["--faces-are-cropped", "--completion", mirror, "--output", "sheet.png", "--most", 2]
    done = unmask_command("sheet", "faces", *words)
    assert done.status == 0
    assert done.err == ["note: only the first 2 faces are shown; show more with --most"]
    np.testing.assert_array_equal(cells("sheet.png")[:, 2], crops[:2])


@pytest.mark.parametrize(
    ("photo", "output", "said"),
    [
        ("faces", "faces/1.png", "faces/1.png: one of the photos; "),
        ("faces", "sheet.jpg", "sheet.jpg: the sheet is a PNG; "),
        ("bad.png", "sheet.png", "no face to show, so nothing is written; "),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(
    crops, unmask_command, mirror, photo, output, said
):
    Path("bad.png").write_text("no picture")
    before = sorted(Path().rglob("*"))
    words = ["--faces-are-cropped", "--completion", mirror, "--output", output]
    done = unmask_command("sheet", photo, *words)
    assert (done.status, done.out) == (2, [])
    assert done.err[-1].startswith(f"error: {said}")
    assert sorted(Path().rglob("*")) == before
    assert np.array_equal(np.asarray(Image.open("faces/1.png")), crops[1])


def test_a_reader_is_no_reconstructor(crops, unmask_command, reader):
    words = ["--faces-are-cropped", "--completion", reader, "--output", "sheet.png"]
    done = unmask_command("sheet", "faces", *words)
    assert (done.status, len(done.err)) == (2, 1)
    assert "give a reconstructor's folder" in done.err[0]

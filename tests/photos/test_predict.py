"""`unmask.predict`: the faces of a photo, masked or not, whatever form the photo has."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image
from small_reader import noise, save_reader

import unmask
from unmask.core.errors import UserError
from unmask.core.faces import CLASSES
from unmask.core.files import write_json
from unmask.photos.drawn_mask import Style, draw
from unmask.photos.finder import Face
from unmask.photos.images import read_photo
from unmask.photos.placement import EYES
from unmask.photos.predict import problem_of
from unmask.photos.warp import cut

FACE = (170, 60, 280, 180)  # where it is in the portrait, in pixels


def only_face(image, reader, **options):
    (photo,) = unmask.predict(image, reader, **options)
    (face,) = photo.faces
    return face


def overlap(first, second):
    """Intersection over union of two boxes."""
    low, high = np.maximum(first[:2], second[:2]), np.minimum(first[2:], second[2:])
    shared = np.prod(np.maximum(high - low, 0))
    areas = [np.prod(np.subtract(box[2:], box[:2])) for box in (first, second)]
    return shared / (sum(areas) - shared)


def alike(first, second):
    """Correlation of two crops."""
    return np.corrcoef(first.ravel(), second.ravel())[0, 1]


def test_a_bare_face_is_found_and_read(astronaut, reader):
    (photo,) = unmask.predict(astronaut, reader)
    assert (photo.width, photo.height, photo.problem) == (512, 512, None)
    (face,) = photo.faces
    assert overlap(face.box, FACE) > 0.7
    assert face.masked is False
    assert face.mask_probability < 0.1
    assert tuple(face.probabilities) == CLASSES
    assert sum(face.probabilities.values()) == pytest.approx(1)
    assert face.probabilities[face.expression] == max(face.probabilities.values())
    assert (face.crop.shape, face.crop.dtype) == ((48, 48), np.uint8)
    assert (face.read_by, face.calibrated, face.problem) == ("masked-face reader", False, None)


@pytest.mark.parametrize(
    "style",
    [
        Style(),
        Style(cloth=(20, 20, 25), pattern="plain", top=0.5),
        Style(cloth=(90, 120, 60), pattern="seam", straps=False),
        Style(cloth=(200, 60, 60), ink=(250, 240, 230), pattern="print", below=0.15),
    ],
    ids=lambda style: style.pattern,
)
def test_a_mask_is_seen(astronaut, landmarks, reader, style):
    face = only_face(draw(astronaut, landmarks, style), reader)
    assert face.masked is True
    assert face.mask_probability > 0.9
    assert overlap(face.box, FACE) > 0.6


def test_a_mask_moves_the_upper_half_by_less_than_two_pixels(astronaut, masked, reader):
    bare, covered = (only_face(image, reader).crop for image in (astronaut, masked))
    inner = bare[4:20, 4:44]
    shifts = {
        (y, x): alike(inner, covered[4 + y : 20 + y, 4 + x : 44 + x])
        for y in range(-4, 5)
        for x in range(-4, 5)
    }
    assert max(map(abs, max(shifts, key=shifts.get))) < 2


def test_the_eyes_are_where_fer2013_has_them(astronaut, reader):
    crop = only_face(astronaut, reader).crop
    row, column = round(EYES[1]), round(EYES[0])
    # Pupils and lashes are the darkest of the rows around the eyes, left and right of the middle.
    band = crop[row - 4 : row + 5, 8:40].astype(float)
    darkest = row - 4 + band.mean(axis=1).argmin()
    assert abs(darkest - row) <= 2
    eye, nose = crop[row, column - 12 : column - 5], crop[row + 6, column - 3 : column + 3]
    assert eye.mean() < nose.mean()


def test_a_tilted_head_is_levelled(astronaut, reader):
    level = only_face(astronaut, reader).crop
    tilted = Image.fromarray(astronaut).rotate(20, Image.Resampling.BICUBIC, center=(225, 110))
    assert alike(only_face(tilted, reader).crop, level) > 0.93


def test_a_large_photo_gives_the_same_crop(astronaut, reader):
    large = Image.fromarray(astronaut).resize((3000, 3000), Image.Resampling.BICUBIC)
    assert alike(only_face(large, reader).crop, only_face(astronaut, reader).crop) > 0.97


def test_small_faces_of_a_group_are_found(astronaut, masked, reader):
    group = np.full((1200, 1800, 3), 120, dtype=np.uint8)
    for place, image in enumerate([astronaut, masked, astronaut, masked, astronaut]):
        small = Image.fromarray(image).crop((100, 0, 360, 260)).resize((110, 110))
        left = 40 + 350 * place
        group[300 + 130 * place :, left:][:110, :110] = small
    (photo,) = unmask.predict(group, reader)
    assert [face.masked for face in photo.faces] == [False, True, False, True, False]


def test_photos_are_turned_upright(tmp_path, astronaut, reader):
    lying = Image.fromarray(astronaut).rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn me clockwise"
    lying.save(tmp_path / "lying.jpg", exif=exif, quality=95)
    face = only_face(tmp_path / "lying.jpg", reader)
    assert overlap(face.box, FACE) > 0.7


def test_all_forms_of_a_photo_give_the_same(tmp_path, astronaut, reader):
    image = Image.fromarray(astronaut)
    image.save(tmp_path / "face.png")
    image.save(tmp_path / "face.webp", lossless=True)
    path = tmp_path / "face.png"
    forms = [astronaut, image, image.convert("RGBA"), path, str(path), tmp_path / "face.webp"]
    results = unmask.predict(forms, reader)
    first = results[0].faces[0]
    for result in results:
        assert result.faces[0].box == first.box
        assert np.array_equal(result.faces[0].crop, first.crop)
        assert result.faces[0].probabilities == pytest.approx(first.probabilities, abs=1e-5)
    assert only_face(np.asarray(image.convert("L")), reader).masked is False


def test_each_image_has_its_result_in_order(astronaut, masked, reader):
    images = [noise(), astronaut, noise(), masked] * 5
    results = unmask.predict(images, reader)
    assert [len(photo.faces) for photo in results] == [0, 1, 0, 1] * 5
    assert [f.masked for photo in results for f in photo.faces] == [False, True] * 5


def test_no_image_has_no_result(fetched, reader):
    assert unmask.predict([], reader) == []


def test_whole_faces_are_read_by_the_whole_face_reader(tmp_path, monkeypatch, astronaut, masked):
    monkeypatch.chdir(tmp_path)
    save_reader(tmp_path / "release/reader")
    save_reader(tmp_path / "release/whole_reader", "whole")
    bare, covered = unmask.predict([astronaut, masked])
    assert bare.faces[0].read_by == "whole-face reader"
    assert covered.faces[0].read_by == "masked-face reader"


def test_a_calibrated_reader_says_when_it_is_unsure(tmp_path, astronaut, reader):
    def read(temperature, threshold):
        folder = shutil.copytree(reader, tmp_path / f"{temperature} {threshold}")
        values = {"temperature": temperature, "threshold": threshold, "risk": 0.3}
        write_json(folder / "calibration.json", values)
        return only_face(astronaut, folder)

    assert read(1.0, 0.99).unsure is True
    flat, sharp = read(1000.0, 0.0), read(0.01, 0.0)
    assert (flat.unsure, flat.calibrated) == (False, True)
    assert max(flat.probabilities.values()) == pytest.approx(1 / 7, abs=0.001)
    assert max(sharp.probabilities.values()) > 0.3


def test_a_completed_face_keeps_what_is_visible(astronaut, reader, mirror):
    face = only_face(astronaut, reader, completion=mirror)
    assert np.array_equal(face.completed[:24], face.crop[:24])
    assert np.array_equal(face.completed[24:], face.crop[:24][::-1])


def test_cropped_faces_are_read_as_they_are(reader):
    pixels = noise(48)[..., 0]
    face = only_face(pixels, reader, faces_are_cropped=True)
    assert np.array_equal(face.crop, pixels)
    assert face.box == (0, 0, 48, 48)


def test_a_tiny_face_is_not_read(astronaut, reader):
    tiny = Image.fromarray(astronaut).resize((80, 80))
    face = only_face(tiny, reader)
    assert "pixels is too small to read" in face.problem
    assert face.expression is face.masked is face.probabilities is None


@pytest.mark.parametrize("size", [(60_000, 1), (1, 60_000)])
def test_a_thin_picture_takes_no_more_memory_than_others(fetched, reader, size):
    (photo,) = unmask.predict(Image.new("RGB", size), reader)
    assert (photo.width, photo.height, photo.faces) == (*size, ())


def test_a_thin_picture_is_in_the_middle_of_a_square():
    whole = np.array([[100.0, 0, 0], [0, 100.0, -2400]])  # of 48 pixels, around 4800x1
    square = cut(Image.new("L", (4800, 1), 255), whole, 48)
    assert 0 < square[24].mean() < 255
    assert square[:23].max() == square[26:].max() == 0


def test_a_face_of_one_pixel_is_called_so():
    face = Face(np.array([0.0, 0.0, 1.0, 1.0]), 1.0, np.eye(2, 3), noise(48)[..., 0], 0.0, None)
    assert problem_of(face).startswith("a face of 1 pixel is too small")


def test_a_face_cut_by_the_edge_is_not_read(astronaut, reader):
    face = only_face(astronaut[105:], reader)
    assert face.problem.startswith("cut by the edge")


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (np.zeros((9, 9, 3)), "float64"),
        (np.zeros((9, 9, 4), np.uint8), r"\[9, 9, 4\]"),
        (np.zeros((0, 9), np.uint8), r"\[0, 9\]"),
    ],
)
def test_other_arrays_are_refused(fetched, reader, pixels, words):
    with pytest.raises(UserError, match=words):
        unmask.predict(pixels, reader)


def test_a_file_that_is_no_picture_is_refused(tmp_path, fetched, reader):
    (tmp_path / "notes.jpg").write_text("no picture")
    with pytest.raises(UserError, match=r"notes\.jpg: not a picture"):
        unmask.predict(tmp_path / "notes.jpg", reader)


def test_a_pil_image_that_is_damaged_is_refused(tmp_path):
    Image.fromarray(noise()).save(tmp_path / "photo.png")
    whole = (tmp_path / "photo.png").read_bytes()
    image = Image.open(io.BytesIO(whole[: len(whole) // 2]))  # which reads no more than the header
    with pytest.raises(UserError, match=r"^a picture: damaged \(.*; replace or remove it$"):
        read_photo(image)

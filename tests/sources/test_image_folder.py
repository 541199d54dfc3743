"""Folders of images: which files become which faces, and what is refused by name."""

import numpy as np
import pytest
from PIL import Image

from faces_csv import DATA, image, read, refusal
from unmask.core.errors import UserError
from unmask.core.faces import CLASSES, TEST, TRAIN, VALIDATION
from unmask.sources import image_folder
from unmask.sources.ingest import ingest


def save(path, pixels, **details):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **details)


def fill(folder, splits=("train", "validation", "test"), classes=CLASSES, count=2):
    """Images of every split and class; they are image(0), image(1), ... in sorted order."""
    seed = 0
    for split in splits:
        for name in sorted(classes):
            for number in range(count):
                save(folder / split / name / f"{number}.png", image(seed))
                seed += 1


def test_faces_stand_in_sorted_order_with_their_index_as_row(tmp_path):
    fill(tmp_path)
    faces = read(tmp_path)
    np.testing.assert_array_equal(faces.images, [image(seed) for seed in range(42)])
    labels = [CLASSES.index(name) for name in sorted(CLASSES) for _ in range(2)]
    assert faces.labels.tolist() == labels * 3
    assert faces.split.tolist() == [TRAIN] * 14 + [VALIDATION] * 14 + [TEST] * 14
    assert faces.row.tolist() == list(range(42))


@pytest.mark.parametrize("name", ["validation", "val", "valid", "VAL", "PublicTest", "public_test"])
def test_names_of_the_validation_folder(tmp_path, name):
    fill(tmp_path, ("train", name, "test"), count=1)
    assert read(tmp_path).split.tolist() == [TRAIN] * 7 + [VALIDATION] * 7 + [TEST] * 7


def test_validation_is_drawn_from_training_where_there_is_no_folder(tmp_path, monkeypatch):
    fill(tmp_path, ("train", "test"), count=6)
    faces = read(tmp_path)
    assert set(faces.split[:42]) == {TRAIN, VALIDATION}
    assert set(faces.split[42:]) == {TEST}
    monkeypatch.setattr(image_folder, "_BLOCK", 5)
    assert read(tmp_path).split.tolist() == faces.split.tolist()


@pytest.mark.parametrize("name", ["val", "val/sad", "val/.git"])
def test_empty_validation_folder_is_refused_as_an_empty_file_is(tmp_path, name):
    source = tmp_path / "faces"
    fill(source, ("train", "test"), count=6)
    (source / name).mkdir(parents=True)
    assert set(read(source).split) == {TRAIN, TEST}
    with pytest.raises(UserError, match="no faces in the validation split; use a source that has"):
        ingest(source, DATA, tmp_path, tmp_path / "test_labels.npy")


def test_adjectives_and_any_case_name_the_classes(tmp_path):
    names = ["Anger", "DISGUSTED", "fearful", "Happiness", "sadness", "surprised", "neutral"]
    fill(tmp_path, classes=names, count=1)
    labels = {name.lower(): label for label, name in enumerate(names)}
    expected = [labels[name.lower()] for name in sorted(names)]
    assert read(tmp_path).labels.tolist() == expected * 3


def test_any_size_and_colour_becomes_grey_48x48(tmp_path):
    fill(tmp_path, count=1)
    folder = tmp_path / "train" / "angry"
    flat = {"RGB": (90, 90, 90), "RGBA": (90, 90, 90, 255), "L": 90, "LA": (90, 255)}
    for mode, colour in flat.items():
        Image.new(mode, (131, 77), colour).save(folder / f"1{mode}.png")
    Image.new("RGB", (20, 20), (90, 90, 90)).quantize(4).save(folder / "2.gif")
    Image.new("RGB", (300, 300), (90, 90, 90)).save(folder / "3.jpg", quality=95)
    Image.new("CMYK", (64, 64), (0, 0, 0, 165)).save(folder / "4.jpg", quality=95)
    faces = read(tmp_path)
    assert faces.images.shape[1:] == (48, 48)
    assert np.abs(faces.images[1:8].astype(int) - 90).max() <= 2


def test_downscaling_averages_instead_of_picking_pixels(tmp_path):
    fill(tmp_path, count=1)
    board = np.indices((480, 480)).sum(axis=0) % 2 * np.uint8(255)
    save(tmp_path / "train" / "angry" / "0.png", board.astype(np.uint8))
    first = read(tmp_path).images[0]
    assert first.min() > 110
    assert first.max() < 145


@pytest.mark.parametrize("form", ["GIF", "PNG", "TIFF", "WEBP"])
def test_several_pictures_in_one_file_are_refused(tmp_path, form):
    fill(tmp_path, count=1)
    first, second = (Image.fromarray(image(seed)) for seed in (1, 2))
    path = tmp_path / "train/sad/x.png"
    first.save(path, form, save_all=True, append_images=[second])
    assert f"{path}: 2 pictures in one file; save each face" in refusal(tmp_path)


def test_preview_of_a_camera_beside_the_photo_is_left_out(tmp_path):
    fill(tmp_path, count=1)
    photo = Image.new("L", (96, 96), 200)
    photo.save(tmp_path / "train/sad/1.jpg", "MPO", save_all=True, append_images=[photo])
    assert (read(tmp_path).images == 200).all(axis=(1, 2)).sum() == 1


def test_picture_is_turned_as_its_camera_says(tmp_path):
    fill(tmp_path, count=1)
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    save(tmp_path / "train" / "angry" / "0.png", image(0)[::-1, ::-1], exif=exif)
    np.testing.assert_array_equal(read(tmp_path).images[0], image(0))


def test_leftovers_of_file_browsers_are_skipped(tmp_path):
    fill(tmp_path, count=1)
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._0.png"):
        (tmp_path / "train" / "angry" / name).write_bytes(b"x")
    (tmp_path / ".cache").mkdir()
    (tmp_path / "README.txt").write_text("notes")
    assert len(read(tmp_path).labels) == 21


@pytest.mark.parametrize("missing", ["train", "test"])
def test_missing_split_is_refused(tmp_path, missing):
    fill(tmp_path, [name for name in ("train", "validation", "test") if name != missing], count=1)
    assert f"no folder {missing}" in refusal(tmp_path)


def test_images_beside_a_csv_are_ambiguous(tmp_path):
    fill(tmp_path, count=1)
    (tmp_path / "fer2013.csv").write_text("x")
    assert "several sources (fer2013.csv, a folder of images)" in refusal(tmp_path)

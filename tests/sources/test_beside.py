"""What is beside the data: a split of its own, known to be idle, or refused by name."""

import gzip
import lzma
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bad_input.packing import tarred, zipped
from faces_csv import image, pair, read, refusal, table, write
from unmask.core.faces import CLASSES, TEST, TRAIN, VALIDATION

FORMS = ("folder", "zip", "tar")
TRAIN_CSV, REST = pair(train=14, test=14)
VALID_CSV, TEST_CSV = (b"\n".join([b"emotion,pixels", *part]) for part in
                       (REST.splitlines()[1:8], REST.splitlines()[8:]))  # fmt: skip
PAIR = {"train.csv": TRAIN_CSV, "test.csv": TEST_CSV}
PNG = b"\x89PNG\r\n\x1a\n"


def source(folder: Path, form: str, files: dict[str, bytes]) -> Path:
    """A folder or an archive with these files."""
    if form == "folder":
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        return folder
    pack = zipped if form == "zip" else tarred
    return write(folder, pack(files.items()), f"faces.{form}")


def with_images(folder: Path) -> Path:
    for split in ("train", "validation", "test"):
        for name in CLASSES:
            path = folder / split / name / "0.png"
            path.parent.mkdir(parents=True)
            Image.fromarray(image(0)).save(path)
    return folder


def check_splits(faces):
    np.testing.assert_array_equal(faces.images, [image(seed) for seed in range(28)])
    assert faces.split.tolist() == [TRAIN] * 14 + [VALIDATION] * 7 + [TEST] * 7
    assert faces.row.tolist() == [*range(2, 16), *range(15 + 2, 15 + 9), *range(23 + 2, 23 + 9)]


VALIDATION_NAMES = [
    *("val.csv", "Valid.csv", "validation.csv", "public_test.csv", "PublicTest.csv"),
    *("VAL.CSV", "public-test.csv", "fer2013_valid.csv"),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", VALIDATION_NAMES)
def test_third_file_is_the_validation_split(tmp_path, form, name):
    check_splits(read(source(tmp_path, form, {name: VALID_CSV, **PAIR})))


SPLITS = [
    ("training.csv", "publictest.csv", "privatetest.csv"),
    ("Training.csv", "PublicTest.csv", "PrivateTest.csv"),
    ("train.csv", "val.csv", "private_test.csv"),
    ("fer2013_training.csv", "fer2013_publictest.csv", "fer2013_privatetest.csv"),
    ("a/train.csv", "b/val.csv", "testing.csv"),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("names", SPLITS, ids=lambda names: names[0])
def test_names_of_the_splits(tmp_path, form, names):
    if form == "folder":
        names = [Path(name).name for name in names]
    files = dict(zip(names, (TRAIN_CSV, VALID_CSV, TEST_CSV), strict=True))
    check_splits(read(source(tmp_path, form, files)))


def test_each_split_may_be_compressed(tmp_path):
    write(tmp_path, gzip.compress(TRAIN_CSV), "train.csv.gz")
    write(tmp_path, lzma.compress(VALID_CSV), "val.csv.xz")
    write(tmp_path, zipped([("test.csv", TEST_CSV)]), "test.zip")
    check_splits(read(tmp_path))


EXTRA = [
    *("extra.csv", "dev.csv", "val2.csv", "val.csv.part", "val.csv.bak", "faces.npy", "0.png"),
    *("validation.parquet", "old.zip", "val.csv.gz.tmp", "votes.json", "fer2013"),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("chosen", [PAIR, {"fer2013.csv": table()}], ids=["pair", "whole"])
@pytest.mark.parametrize("name", EXTRA)
def test_what_would_be_left_out_is_refused_by_name(tmp_path, form, chosen, name):
    path = source(tmp_path, form, {name: b"x", **chosen})
    beside = "fer2013.csv" if len(chosen) == 1 else "train.csv, test.csv"
    assert f"{path}: holds {name}, which would not be read beside {beside}; " in refusal(path)


@pytest.mark.parametrize("form", ["zip", "tar"])
@pytest.mark.parametrize("name", ["more/val.csv.gz", "train/happy/0.png", "fer2013.tar.gz"])
def test_more_in_an_archive_is_refused_by_name(tmp_path, form, name):
    path = source(tmp_path, form, {"d/fer2013.csv": table(), name: b"x"})
    assert f"holds {name}, which would not be read beside d/fer2013.csv" in refusal(path)


@pytest.mark.parametrize("name", ["train.csv", "test.csv", "val.csv"])
def test_split_beside_the_whole_is_refused(tmp_path, name):
    assert f"holds {name}" in refusal(
        source(tmp_path, "folder", {"fer2013.csv": table(), name: b"x"})
    )


SAME = [
    ("val.csv", "valid.csv"),
    ("val.csv.gz", "public_test.csv"),
    ("private_test.csv", "notes.txt"),
    ("train.csv.xz", "notes.md"),
]


@pytest.mark.parametrize("names", SAME, ids=lambda names: names[0])
def test_two_files_of_one_split_are_refused(tmp_path, names):
    message = refusal(source(tmp_path, "folder", PAIR | dict.fromkeys(names, VALID_CSV)))
    assert "are the same split; keep one of them" in message
    assert names[0] in message


@pytest.mark.parametrize("name", ["valid.csv", "PrivateTest.csv", "a/train.csv"])
def test_two_files_of_one_split_in_an_archive_are_refused(tmp_path, name):
    path = source(tmp_path, "zip", {**PAIR, "val.csv": VALID_CSV, name: VALID_CSV})
    assert f"several CSV files (train.csv, test.csv, val.csv, {name})" in refusal(path)


NOTES = [
    *("README", "readme.md", "LICENSE", "Licence.txt", "CITATION.cff", "notes.txt", "fer2013.bib"),
    *("fer2013.csv.sha256", "faces.md5", "SHA256SUMS", "MD5SUMS", "paper.pdf", "fer2013new.csv"),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("chosen", [PAIR, {"fer2013.csv": table()}], ids=["pair", "whole"])
def test_notes_may_be_beside_csv_files(tmp_path, form, chosen):
    notes = dict.fromkeys(NOTES, b"x")
    assert len(read(source(tmp_path, form, chosen | notes)).labels) == 21


def test_notes_may_be_beside_folders_of_images(tmp_path):
    with_images(tmp_path)
    for name in NOTES:
        for place in ("", "train"):
            (tmp_path / place / name).write_bytes(b"x")
    assert len(read(tmp_path).labels) == 21


COMPETITION = {"example_submission.csv": b"x", "test.csv": b"pixels\n", "train.csv": b"x"}
KAGGLE = {
    "icml_face_data": COMPETITION | {"icml_face_data.csv": table()},
    "with fer2013.tar.gz": COMPETITION | {"icml_face_data.csv": table(), "fer2013.tar.gz": b"x"},
    "fer2013": {f"fer2013/{name}": b"x" for name in ("README", "fer2013.bib")}
    | {"fer2013/fer2013.csv": table()},
    "with the votes": {"fer2013.csv": table(), "fer2013new.csv": b"x"},
}


@pytest.mark.parametrize("form", ["zip", "tar"])
@pytest.mark.parametrize("files", KAGGLE.values(), ids=KAGGLE)
def test_archives_of_kaggle_are_read(tmp_path, form, files):
    assert len(read(source(tmp_path, form, files)).labels) == 21


def test_competition_unpacked_is_read(tmp_path):
    assert len(read(source(tmp_path, "folder", KAGGLE["icml_face_data"])).labels) == 21


SAMPLE = dict.fromkeys(["sample.csv", "sample.png", "sample_votes.csv"], b"x")


def test_the_sample_may_be_beside_the_data(tmp_path):
    with_images(source(tmp_path, "folder", SAMPLE | {".gitignore": b"*"}))
    assert len(read(tmp_path).labels) == 21
    (tmp_path / "sample.png").unlink()
    assert "holds sample.csv, sample_votes.csv" in refusal(tmp_path)


LOOSE = ["0.png", "train/0.png", "train.csv", "test/labels.csv", "more.tar", "validation/0.jpeg"]


@pytest.mark.parametrize("name", LOOSE)
def test_files_outside_the_class_folders_are_refused(tmp_path, name):
    path = with_images(tmp_path) / name
    path.write_bytes(PNG)
    what = f"{path.parent}: holds {path.name}, which would not be read beside the folders of images"
    assert what in refusal(tmp_path)


def test_pointer_of_dvc_is_skipped_only_if_its_file_is_there(tmp_path):
    pointers = dict.fromkeys(["train.csv.dvc", "test.csv.dvc"], b"outs: []")
    path = source(tmp_path, "folder", PAIR | pointers | {".dvcignore": b"x", ".dvc/config": b""})
    assert len(read(path).labels) == 21
    write(path, b"outs: []", "val.csv.dvc")
    assert "holds val.csv.dvc" in refusal(path)
    images = with_images(tmp_path / "images")
    for name in ("train.dvc", "test/sad.dvc", "test/sad/0.png.dvc"):
        (images / name).write_bytes(b"outs: []")
    assert len(read(images).labels) == 21
    (images / "more.dvc").write_bytes(b"outs: []")
    assert "holds more.dvc" in refusal(images)

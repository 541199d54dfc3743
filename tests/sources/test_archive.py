"""Compressed files and archives: the same faces, nothing on disk, one line for each refusal."""

import bz2
import gzip
import lzma
import tarfile
import zipfile

import numpy as np
import pytest

from bad_input.packing import tarred, zipped
from faces_csv import image, pair, read, refusal, table, write
from unmask.sources import limits

NOTES = ("fer2013/README", b"notes")
WHOLE = [NOTES, ("fer2013/fer2013.csv", table())]

FORMS = {
    "fer2013.csv": table(),
    "fer2013.csv.gz": gzip.compress(table()),
    "fer2013.csv.xz": lzma.compress(table()),
    "fer2013.csv.bz2": bz2.compress(table()),
    "two-streams.csv.gz": gzip.compress(table()[:9999]) + gzip.compress(table()[9999:]),
    "fer2013.zip": zipped(WHOLE),
    "stored.zip": zipped(WHOLE, zipfile.ZIP_STORED),
    "lzma.zip": zipped(WHOLE, zipfile.ZIP_LZMA),
    "fer2013.tar": tarred(WHOLE),
    "gnu.tar": tarred(WHOLE, format=tarfile.GNU_FORMAT),
    "fer2013.tar.gz": tarred(WHOLE, "w:gz"),
    "fer2013.tgz": tarred(WHOLE, "w:gz"),
    "fer2013.tar.xz": tarred(WHOLE, "w:xz"),
    "gzip-named.csv": gzip.compress(table()),
    "zip-named.tar.gz": zipped(WHOLE),
    "icml.zip": zipped([("icml_face_data.csv", table())]),
    "any-name.zip": zipped([("deep/er/faces.csv", table())]),
    "upper.zip": zipped([("FER2013.CSV", table()), ("NOTES.TXT", b"x")]),
    "mac.zip": zipped([*WHOLE, ("__MACOSX/._fer2013.csv", b"\0"), ("._fer2013.csv", b"\0")]),
    "competition.zip": zipped(
        [
            ("example_submission.csv", b"x"),
            ("icml_face_data.csv", table()),
            ("test.csv", b"pixels\n"),
            ("train.csv", b"x"),
        ]
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_the_same_faces_and_leaves_nothing_on_disk(tmp_path, name):
    path = write(tmp_path, FORMS[name], name)
    faces = read(path)
    np.testing.assert_array_equal(faces.images, [image(seed) for seed in range(21)])
    assert faces.row.tolist() == list(range(2, 23))
    assert list(tmp_path.iterdir()) == [path]


PAIR = dict(zip(("train.csv", "test.csv"), pair(), strict=True))
PAIRS = {
    "plain": PAIR,
    "gzip and zip": {
        "train.csv.gz": gzip.compress(PAIR["train.csv"]),
        "test.csv.zip": zipped([("test.csv", PAIR["test.csv"])]),
    },
}


@pytest.mark.parametrize("files", PAIRS.values(), ids=PAIRS.keys())
def test_pair_in_a_folder(tmp_path, files):
    for name, content in files.items():
        write(tmp_path, content, name)
    assert len(read(tmp_path).labels) == 54


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_pair_in_an_archive(tmp_path, pack):
    faces = read(write(tmp_path, pack(reversed(PAIR.items()))))
    np.testing.assert_array_equal(faces.images, [image(seed) for seed in range(54)])


@pytest.mark.parametrize(
    "name", ["fer2013.csv", "fer2013.csv.xz", "fer2013.tar.gz", "fer2013.zip", "icml_face_data.csv"]
)
def test_folder_with_a_whole_file(tmp_path, name):
    write(tmp_path, FORMS.get(name, table()), name)
    write(tmp_path, b"other", "notes.txt")
    assert len(read(tmp_path).labels) == 21


MEMBERS = {
    "nothing": ([], "no CSV file in this archive (it holds nothing)"),
    "notes alone": ([NOTES], "(it holds fer2013/README)"),
    "images": ([("train/happy/1.png", b"x")], "name the folder"),
    "a workbook": ([("xl/workbook.xml", b"x")], "an Excel workbook (.xlsx), not a CSV file"),
    "a sheet": ([("mimetype", b"x"), ("content.xml", b"x")], "an OpenDocument file (.ods)"),
    "checkpoint": (
        [("w/data.pkl", b"x"), ("w/data/0", b"x")],
        "weights (a PyTorch checkpoint), not a CSV file",
    ),
    "Keras": (
        [("config.json", b"{}"), ("model.weights.h5", b"x")],
        "weights (a Keras model), not a CSV file",
    ),
    "arrays": ([("x.npy", b"x"), ("y.npy", b"x")], "NumPy arrays (.npz), not a CSV file"),
    "two of one name": (
        [("a/fer2013.csv", table()), ("b/fer2013.csv", table())],
        "several CSV files (a/fer2013.csv, b/fer2013.csv)",
    ),
    "two layouts": (
        [("fer2013.csv", table()), ("icml_face_data.csv", table())],
        "several CSV files (fer2013.csv, icml_face_data.csv)",
    ),
    "two unknown": ([("a.csv", table()), ("b.csv", table())], "several CSV files (a.csv, b.csv)"),
    "an archive": ([("fer2013.csv", gzip.compress(table()))], "archive inside an archive"),
    "a web page": ([("fer2013.csv", b"<html></html>")], "fer2013.csv: a web page"),
    "a bad name": ([("a\n\x1b[31m.csv", table()), ("b.csv", table())], "a??[31m.csv"),
}


@pytest.mark.parametrize("pack", [zipped, tarred])
@pytest.mark.parametrize(("members", "what"), MEMBERS.values(), ids=MEMBERS.keys())
def test_none_or_several_files_are_refused_by_name(tmp_path, pack, members, what):
    message = refusal(write(tmp_path, pack(members)))
    empty_tar = pack is tarred and not members  # zeros alone
    assert what in message or empty_tar


def test_fault_in_a_member_names_archive_member_and_line(tmp_path):
    bad = table().replace(b"PublicTest", b"Publictest", 1)
    path = write(tmp_path, zipped([("x/fer2013.csv", bad)]))
    assert refusal(path).startswith(f"{path}/x/fer2013.csv:9: Usage is 'Publictest'")


COMPRESSED = ["fer2013.csv.gz", "fer2013.csv.xz", "fer2013.csv.bz2", "fer2013.zip", "stored.zip"]
TARS = ["fer2013.tar", "fer2013.tar.gz", "fer2013.tar.xz"]


@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
@pytest.mark.parametrize("name", COMPRESSED + TARS)
def test_cut_short_is_refused(tmp_path, name, share):
    content = FORMS[name]
    if name.endswith("tar"):  # the rest of a tar is padding
        content = content[: content.rindex(b"Test") + 200]
    path = write(tmp_path, content[: int(len(content) * share)], name)
    assert refusal(path).startswith(f"{path}")


@pytest.mark.parametrize("name", COMPRESSED)
def test_flipped_byte_is_refused(tmp_path, name):
    content = bytearray(FORMS[name])
    content[len(content) // 2] ^= 1
    path = write(tmp_path, bytes(content), name)
    assert refusal(path).startswith(f"{path}")


def test_archive_of_very_many_files_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "_MAX_MEMBERS", 3)
    members = [(f"{number}.png", b"x") for number in range(5)]
    for pack in (zipped, tarred):
        assert "more than 3 files" in refusal(write(tmp_path, pack(members)))

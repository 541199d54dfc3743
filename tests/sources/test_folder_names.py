"""Names of folders of images: FER2013's own words and numbers, and common spellings."""

import pytest
from test_image_folder import fill

from faces_csv import DATA, read, refusal
from unmask.core.faces import TEST, TRAIN, VALIDATION
from unmask.sources import detect

WORDS = [
    ("Training", "PublicTest", "PrivateTest"),
    ("training", "public_test", "private_test"),
    ("TRAIN", "Valid", "Testing"),
    ("train", "Public Test", "private-test"),
    ("FER2013Train", "FER2013Valid", "FER2013Test"),
]


@pytest.mark.parametrize("words", WORDS, ids=lambda words: words[0])
def test_words_of_fer2013_name_the_splits(tmp_path, words):
    fill(tmp_path, words, count=1)
    assert read(tmp_path).split.tolist() == [TRAIN] * 7 + [VALIDATION] * 7 + [TEST] * 7


@pytest.mark.parametrize("words", [("training", "testing"), ("Training", "PrivateTest")])
def test_validation_is_drawn_if_no_folder_means_it(tmp_path, words):
    fill(tmp_path, words, count=6)
    assert set(read(tmp_path).split[:42]) == {TRAIN, VALIDATION}


NAMES = [
    [str(label) for label in range(7)],
    ["0", "disgust", "2", "happy", "4", "surprise", "6"],
    ["Angry", "Digust", "Fear", "Happy", "Sad", "Suprise", "Natural"],
    ["anger", "disgusted", "fearful", "happiness", "sadness", "suprised", "neutral"],
]


@pytest.mark.parametrize("names", NAMES, ids=lambda names: names[1])
def test_numbers_and_common_spellings_name_the_classes(tmp_path, names):
    fill(tmp_path, classes=names, count=1)
    expected = [label for _, label in sorted((name, label) for label, name in enumerate(names))]
    assert read(tmp_path).labels.tolist() == expected * 3


SAME = {
    "train/0": "the same class as 0",
    "train/suprise": "the same class as suprise",
    "train/Natural": "the same class as Natural",
    "PublicTest": "the same split as PublicTest",
    "PrivateTest": "the same split as PrivateTest",
    "Training": "the same split as Training",
    "train/7": "unknown class folder",
    "train/00": "unknown class folder",
    "train/0-neutral": "unknown class folder",
    "dev": "unknown split folder",
}


@pytest.mark.parametrize(("name", "what"), SAME.items())
def test_two_names_of_one_and_unknown_names_are_refused(tmp_path, name, what):
    fill(tmp_path, count=1)
    (tmp_path / name).mkdir()
    assert what in refusal(tmp_path)


def test_faces_have_the_names_of_their_files(tmp_path):
    fill(tmp_path, ("Training", "PublicTest", "PrivateTest"), classes="0123456", count=1)
    (tmp_path / "PrivateTest/6/0.png").rename(tmp_path / "PrivateTest/6/fer0035887 é.png")
    names = [name for block in detect.find(tmp_path).read(DATA) for name in block.names]
    assert names[:2] == ["Training/0/0.png", "Training/1/0.png"]
    assert names[7:14] == [f"PublicTest/{label}/0.png" for label in range(7)]
    assert names[20:] == ["PrivateTest/6/fer0035887 é.png"]

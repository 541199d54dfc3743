"""Names that DVC cannot record are refused before anything is read; all others are fine."""

import os
from pathlib import Path

import pytest
from dvc.utils.serialize import dumps_yaml, parse_yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_beside import PAIR, source, with_images

from faces_csv import DATA, read, refusal, table, write
from unmask.core.errors import UserError
from unmask.sources import detect
from unmask.sources.ingest import ingest
from unmask.sources.text import refuse_unrecordable, shown

LATIN_1, HALF = os.fsdecode(b"caf\xe9.png"), os.fsdecode(b"\xe2\x82.csv")
WHAT = "a name that is not UTF-8, which DVC cannot record; rename it"


@pytest.mark.parametrize(
    "name",
    [f"train/sad/{LATIN_1}", f"test/happy/{HALF}", f"train/sad/._{LATIN_1}", f"{HALF}/0.png",
     f"__MACOSX/{LATIN_1}"],
    ids=ascii,
)  # fmt: skip
def test_folder_of_images_with_a_name_that_is_not_utf_8(tmp_path, name):
    path = with_images(tmp_path) / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x")
    message = refusal(tmp_path)
    assert message.endswith(WHAT)
    assert message.isprintable()
    assert ("caf?.png" in message) or ("??" in message)


@pytest.mark.parametrize("name", [LATIN_1, HALF, os.fsdecode(b"\xff.md")], ids=ascii)
def test_folder_of_csv_files_with_a_name_that_is_not_utf_8(tmp_path, name):
    assert refusal(source(tmp_path, "folder", PAIR | {name: b"x"})).endswith(WHAT)


@pytest.mark.parametrize("name", [LATIN_1, HALF, os.fsdecode(b"\x80")], ids=ascii)
def test_source_whose_own_name_is_not_utf_8(tmp_path, name):
    message = refusal(write(tmp_path, table(), name))
    assert message.endswith(WHAT)
    assert message.isprintable()


def test_nothing_is_hashed_before(tmp_path, monkeypatch):
    monkeypatch.setattr("unmask.sources.ingest.checksum", None)
    path = write(tmp_path, table(), LATIN_1)
    with pytest.raises(UserError, match="not UTF-8"):
        ingest(path, DATA, tmp_path / "faces", tmp_path / "labels.npy")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "what"),
    [(" ", "' '"), ("", "''"), (" a.csv", "' a.csv'"), ("d/a ", "'d/a '"), ("a b.csv", "a b.csv")],
)
def test_blanks_that_nobody_would_see_are_in_quotes(name, what):
    assert shown(name) == what


ODD = [
    "a\nb.png",
    "a\\b.png",
    "a\x1b[2J.png",
    " a .png",
    "a\u2028b.png",
    "\u65e5\u672c.png",
    "a'\"$.png",
]


@pytest.mark.parametrize("name", ODD, ids=ascii)
def test_names_that_dvc_can_record_are_read(tmp_path, name):
    path = with_images(tmp_path) / "test" / "sad" / name
    (tmp_path / "test/sad/0.png").rename(path)
    names = [name for block in detect.find(tmp_path).read(DATA) for name in block.names]
    assert f"test/sad/{name}" in names
    file = write(tmp_path, table(), name)
    assert len(read(file).labels) == 21


@pytest.mark.parametrize(
    "name", ["a${b}.csv", "${data.labels}.csv", "a${b.csv", "d${x}/fer2013.csv"]
)
def test_source_with_a_name_that_dvc_would_interpolate(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(table())
    assert refusal(path).endswith("a name with ${, which `dvc exp run -S` replaces; rename it")


@given(name=st.text(st.characters(blacklist_characters="/\0"), min_size=1))
@example("a\x85b")
@example("\udce9")
@example("a${b}")
@example("\n")
@example("\\")
@settings(max_examples=300, deadline=None, derandomize=True)
def test_all_names_but_those_refused_are_recorded(name):
    try:
        refuse_unrecordable(Path("no such folder") / name)
    except UserError:
        is_bad = any(letter == "\x85" or "\ud800" <= letter <= "\udfff" for letter in name)
        assert is_bad or "${" in name
    else:
        lock = {"deps": [{"path": name}]}
        assert parse_yaml(dumps_yaml(lock), "dvc.lock") == lock
        assert name.encode()

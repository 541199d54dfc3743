"""What people save under the name of the data by mistake."""

import pytest

from faces_csv import refusal, table, write

FOREIGN = {
    "empty": (b"", "empty"),
    "blank": (b"\n \n", "empty"),
    "byte order mark alone": (b"\xef\xbb\xbf", "empty"),
    "web page": (b"\n<!DOCTYPE html><html><title>Login</title>", "web page"),
    "long web page": (b"<html>" + b"x" * 100_000, "web page"),
    "git-lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "git lfs pull"),
    "DVC": (b"outs:\n- md5: 00\n  path: fer2013.csv\n", "dvc pull"),
    "UTF-16": (table().decode().encode("utf-16"), "UTF-16"),
    "UTF-16 without mark": (table().decode().encode("utf-16-le"), "UTF-16"),
    "zeros": (bytes(100_000), "binary"),
    "7-Zip": (b"7z\xbc\xaf\x27\x1c....", "7-Zip"),
    "Zstandard": (b"(\xb5/\xfd....", "Zstandard"),
}


@pytest.mark.parametrize(("content", "what"), FOREIGN.values(), ids=FOREIGN.keys())
def test_what_is_no_csv_is_refused_by_name(tmp_path, content, what):
    path = write(tmp_path, content)
    message = refusal(path)
    assert message.startswith(f"{path}: ")
    assert what in message

"""Every artefact says whether it is what was written."""

import hashlib
import json
import shutil
import subprocess

import numpy as np
import pytest
import torch

from unmask.core.errors import UserError
from unmask.core.files import ArrayWriter, open_array, read_json, save_array, write_json
from unmask.evaluation.predictions import predictions, read_predictions, write_predictions
from unmask.models.folder import load_tensors, save_tensors

TENSORS = {"a": torch.rand(3, 4), "b.c": torch.tensor(7), "h": torch.rand(5).to(torch.bfloat16)}
FIGURES = {"accuracy": [0.1, 2], "ci95": {"low": 1e-9}}
TABLE = predictions(np.arange(20), np.full(20, 3), np.full((20, 7), 1 / 7))


def _write_blocks(path):
    with ArrayWriter(path, (5, 6), np.uint8) as writer:
        for number in range(3):
            writer.append(np.full((4, 5, 6), number))


def _says_the_same(first, second):
    try:
        return json.loads(first) == json.loads(second)
    except ValueError:
        return False


# What writes and what reads each kind of artefact.
KINDS = {
    "array.npy": (lambda path: save_array(path, np.arange(60, dtype=np.int64)), open_array),
    "blocks.npy": (_write_blocks, open_array),
    "figures.json": (lambda path: write_json(path, FIGURES), read_json),
    "weights.safetensors": (lambda path: save_tensors(path, TENSORS, {"n": "1"}), load_tensors),
    "test.csv": (lambda path: write_predictions(path, TABLE), read_predictions),
}  # fmt: skip
every_kind = pytest.mark.parametrize("name", KINDS)


@pytest.fixture
def artefact(tmp_path, name):
    write, read = KINDS[name]
    write(tmp_path / name)
    return tmp_path / name, read


@every_kind
def test_what_was_written_is_read(artefact):
    path, read = artefact
    read(path)


@every_kind
def test_a_flipped_bit_is_named(artefact):
    path, read = artefact
    whole = path.read_bytes()
    for place in np.linspace(0, len(whole) - 1, 97).astype(int):
        bit = 1 << int(place) % 8
        path.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
        if path.suffix == ".json" and _says_the_same(path.read_bytes(), whole):
            continue  # another blank, or E for e in a number
        with pytest.raises(UserError, match=path.name):
            read(path)


@every_kind
def test_a_truncation_is_named(artefact):
    path, read = artefact
    whole = path.read_bytes().rstrip()
    for length in np.linspace(0, len(whole) - 1, 31).astype(int):
        path.write_bytes(whole[:length])
        with pytest.raises(UserError, match=path.name):
            read(path)


@every_kind
def test_what_is_missing_is_named(artefact):
    path, read = artefact
    path.unlink()
    with pytest.raises((UserError, FileNotFoundError), match=path.name):
        read(path)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"a": NaN}', '{"a": 1e999}', "[" * 100_000])
def test_json_that_nobody_wrote_is_named(tmp_path, content):
    (tmp_path / "figures.json").write_text(content)
    with pytest.raises(UserError, match=r"figures\.json: checksum mismatch; "):
        read_json(tmp_path / "figures.json")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"0" * 64 + b"  test.csv\n"])
def test_a_damaged_checksum_beside_a_table_is_named(tmp_path, content):
    write_predictions(tmp_path / "test.csv", TABLE)
    (tmp_path / "test.csv.sha256").write_bytes(content)
    with pytest.raises(UserError, match=r"test\.csv: checksum mismatch; "):
        read_predictions(tmp_path / "test.csv")


def test_weights_come_back_to_the_bit(tmp_path):
    save_tensors(tmp_path / "w.safetensors", TENSORS, {"note": "text"})
    tensors, notes = load_tensors(tmp_path / "w.safetensors")
    assert notes == {"note": "text"}
    assert all(torch.equal(tensors[key], TENSORS[key]) for key in TENSORS)


def test_numpy_reads_a_sealed_array_without_us(tmp_path):
    array = np.arange(24.0).reshape(2, 3, 4)
    save_array(tmp_path / "a.npy", array)
    for mode in (None, "r"):
        np.testing.assert_array_equal(np.load(tmp_path / "a.npy", mmap_mode=mode), array)
    whole = (tmp_path / "a.npy").read_bytes()
    assert whole[-32:] == hashlib.sha256(whole[:-40]).digest()


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="no sha256sum on this machine")
def test_sha256sum_checks_a_table(tmp_path):
    write_predictions(tmp_path / "test.csv", TABLE)
    subprocess.run(["sha256sum", "--check", "test.csv.sha256"], cwd=tmp_path, check=True)

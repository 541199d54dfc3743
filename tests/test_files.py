"""Files and folders that are written whole or not at all."""

import numpy as np
import pytest

from unmask.core.files import ArrayWriter, atomic_folder, atomic_write


def write_and_fail(path):
    path.write_text("half of the n")
    raise RuntimeError


def test_a_file_that_fails_leaves_the_old_one(tmp_path):
    path = tmp_path / "figures.json"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_write(path) as temporary:
        write_and_fail(temporary)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["figures.json"]


def test_a_folder_that_fails_leaves_the_old_one(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights").write_text("old")
    with pytest.raises(RuntimeError), atomic_folder(folder) as temporary:
        write_and_fail(temporary / "weights")
    assert (folder / "weights").read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["model"]


def test_a_folder_takes_the_place_of_the_old_one(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "stale").write_text("old")
    with atomic_folder(folder) as temporary:
        (temporary / "weights").write_text("new")
    assert [file.name for file in folder.iterdir()] == ["weights"]


@pytest.mark.parametrize("rows", [0, 1, 7, 1000])
def test_an_array_written_in_blocks_reads_like_any_other(tmp_path, rows):
    array = np.random.default_rng(0).integers(0, 256, (rows, 3, 4), dtype=np.uint8)
    with ArrayWriter(tmp_path / "blocks.npy", (3, 4), np.uint8) as writer:
        for start in range(0, rows, 6):
            writer.append(array[start : start + 6])
    np.testing.assert_array_equal(np.load(tmp_path / "blocks.npy"), array)

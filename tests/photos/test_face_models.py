"""`unmask fetch face-models`: from a wheel, a folder or the network, whole or not at all."""

import os
import shutil
import zipfile

import pytest

from unmask.photos import face_models


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty folder in place of the user's cache."""
    folder = tmp_path / "cache"
    monkeypatch.setenv(face_models.FOLDER_VARIABLE, str(folder))
    return folder


def wheel_of(folder, path):
    """A wheel with the models where MediaPipe's has them."""
    with zipfile.ZipFile(path, "w") as wheel:
        for name in face_models.SHA256:
            part = "face_landmark" if name == face_models.MESH else "face_detection"
            wheel.write(folder / name, f"mediapipe/modules/{part}/{name}")
        wheel.writestr("mediapipe-0.10.21.dist-info/LICENSE", "Apache License")
    return path


def test_models_come_out_of_a_wheel(tmp_path, fetched, cache, unmask_command):
    wheel = wheel_of(fetched, tmp_path / "mediapipe.whl")
    done = unmask_command("fetch", "face-models", "--from", wheel)
    assert (done.status, done.out) == (0, [f"face models are in {cache}"])
    assert {path.name for path in cache.iterdir()} == {*face_models.SHA256, "LICENSE"}
    for name in face_models.SHA256:
        assert (cache / name).read_bytes() == (fetched / name).read_bytes()


def test_models_come_out_of_a_folder(fetched, cache, unmask_command):
    assert unmask_command("fetch", "face-models", "--from", fetched).status == 0
    assert unmask_command("fetch", "face-models").status == 0  # there already, so no download


def spoil(folder):
    (folder / face_models.MESH).write_bytes(b"another model")


def lose(folder):
    (folder / face_models.MESH).unlink()


@pytest.mark.parametrize(
    ("change", "words"), [(spoil, "another face_landmark"), (lose, "holds no face_landmark")]
)
def test_other_models_are_refused(tmp_path, fetched, cache, unmask_command, change, words):
    given = shutil.copytree(fetched, tmp_path / "given")
    change(given)
    done = unmask_command("fetch", "face-models", "--from", given)
    assert (done.status, len(done.err)) == (2, 1)
    assert words in done.err[0]
    assert not cache.exists()


def damaged_wheel(path):
    """A wheel whose first model is compressed, and cannot be unpacked."""
    name = f"mediapipe/modules/face_detection/{face_models.SHORT_RANGE}"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr(name, bytes(range(256)))
    content = bytearray(path.read_bytes())
    start = 30 + len(name)  # behind the header
    content[start : start + 8] = b"\xff" * 8
    path.write_bytes(content)


@pytest.mark.parametrize("write", [lambda path: path.write_text("no wheel"), damaged_wheel])
def test_a_file_that_is_no_wheel_is_refused(tmp_path, cache, unmask_command, write):
    write(tmp_path / "x.whl")
    done = unmask_command("fetch", "face-models", "--from", tmp_path / "x.whl")
    assert (done.status, len(done.err)) == (2, 1)
    assert "x.whl: damaged or no wheel; get the wheel mediapipe==0.10.21" in done.err[0]


def test_without_network_one_line_offers_another_way(cache, unmask_command, monkeypatch):
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    done = unmask_command("fetch", "face-models")
    assert (done.status, len(done.err)) == (2, 1)
    assert "pip could not download mediapipe==0.10.21" in done.err[0]
    assert "--from FILE" in done.err[0]
    assert not cache.exists()


def test_a_damaged_model_is_named(fetched, cache, unmask_command, photos, reader):
    shutil.copytree(fetched, cache)
    spoil(cache)
    done = unmask_command("predict", "album", "--model", reader)
    assert done.status == 2
    assert "damaged or another model; remove it" in done.err[-1]

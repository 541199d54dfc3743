"""A face that may be shown to anyone, and what reading it needs."""

import os
import shutil

import pytest
import skimage.data
from filelock import FileLock
from PIL import Image
from small_reader import save_reader

from unmask.core.errors import UserError
from unmask.models.folder import build, reconstructor_config, save_model
from unmask.photos import face_models
from unmask.photos.detector import Detector
from unmask.photos.drawn_mask import Style, draw
from unmask.photos.mesh import Mesh


@pytest.fixture(scope="session")
def fetched():
    """The folder of the face models; they are downloaded once, into the user's cache."""
    folder = face_models.folder()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock"):
            return face_models.fetch()
    except UserError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no face models: {error}")


@pytest.fixture(scope="session")
def astronaut(fetched):
    """Eileen Collins, by NASA, in the public domain: uint8 [512,512,3]."""
    return skimage.data.astronaut()


@pytest.fixture(scope="session")
def landmarks(astronaut):
    """The points of her face."""
    image = Image.fromarray(astronaut)
    return Mesh()(image, Detector()(image)[0]).points


@pytest.fixture(scope="session")
def masked(astronaut, landmarks):
    """The same portrait with a mask drawn on."""
    return draw(astronaut, landmarks, Style())


@pytest.fixture(scope="session")
def reader(tmp_path_factory):
    """The folder of an untrained reader of upper halves."""
    return save_reader(tmp_path_factory.mktemp("models") / "reader")


@pytest.fixture(scope="session")
def mirror(tmp_path_factory):
    """The folder of a reconstructor."""
    folder = tmp_path_factory.mktemp("models") / "mirror"
    folder.mkdir()
    config = reconstructor_config("mirror", {})
    save_model(build(config), config, folder)
    return folder


@pytest.fixture(scope="session")
def models(mirror, tmp_path_factory):
    """A folder `models` with two reconstructors, and a classifier of the first one's faces."""
    folder = tmp_path_factory.mktemp("pipeline") / "models"
    shutil.copytree(mirror, folder / "reconstructors/mirror")
    shutil.copytree(mirror, folder / "reconstructors/other")
    save_reader(folder / "final/mirror", "stitched mirror")
    return folder


@pytest.fixture
def photos(tmp_path, monkeypatch, astronaut, masked):
    """The working folder, with photos in the folder `album`."""
    monkeypatch.chdir(tmp_path)
    album = tmp_path / "album"
    (album / "more").mkdir(parents=True)
    Image.fromarray(astronaut).save(album / "bare.png")
    Image.fromarray(masked).save(album / "more" / "masked.jpg")
    return album

"""Which photos the words of a command line mean, and what is said of the others."""

import os
from pathlib import Path

import pytest
from PIL import Image

from unmask.core.errors import UserError
from unmask.photos.images import expand, read_photo

pytestmark = pytest.mark.usefixtures("in_folder")


@pytest.fixture
def album():
    """Two photos, one of them in a folder within, and an empty folder."""
    for name in ("album/a.jpg", "album/more/b.png"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    Path("album/empty").mkdir()
    return Path("album")


def found(*words, lines=()):
    """Return the paths of the photos, in order, and what is wrong."""
    sources, problems = expand(words, lines)
    return [str(source.path) for source in sources], problems


@pytest.mark.parametrize(
    "words",
    [
        ["album"],
        ["album", "album/a.jpg", "./album/more"],
        ["album/a.jpg", str(Path("album/../album"))],
        ["alb*"],
        ["-"],
    ],
)
def test_a_photo_that_is_meant_twice_is_read_once(album, words):
    photos, problems = found(*words, lines=["album\n", "\n", "album/a.jpg\n"])
    assert sorted(map(os.path.normpath, photos)) == ["album/a.jpg", "album/more/b.png"]
    assert problems == []


@pytest.mark.parametrize("pattern", ["album/*", "album/**"])
def test_what_is_wrong_with_one_match_leaves_the_others(album, pattern):
    photos, problems = found(pattern)
    assert sorted(photos) == ["album/a.jpg", "album/more/b.png"]
    assert problems == [
        "album/empty: no photos in this folder; they are JPEG, PNG, WebP, BMP, GIF or TIFF"
    ]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("x" * 300, "x: file name too long; check the name and its permissions"),
        ("album/a.jpg/b", "album/a.jpg/b: no such file or folder; check the name"),
        ("", "'': no such file or folder; check the name"),
        ("*" + "x" * 300, "x: nothing matches; check the pattern"),
        ("a\0*", "a?*: nothing matches; check the pattern"),
    ],
)
def test_a_name_that_means_nothing_is_one_problem_of_several(album, word, said):
    photos, (problem,) = found(word, "album/a.jpg")
    assert photos == ["album/a.jpg"]
    assert problem.endswith(said)


@pytest.mark.parametrize("place", ["album", "album/more", "album/lost+found"])
def test_a_folder_that_may_not_be_read_is_named(album, monkeypatch, place):
    (album / "lost+found").mkdir()
    scan = os.scandir

    def refuse(folder):
        if Path(folder) == Path(place):
            raise PermissionError(13, "Permission denied", str(folder))
        return scan(folder)

    monkeypatch.setattr(os, "scandir", refuse)  # root may read any
    photos, problems = found("album")
    named = [f"{place}: permission denied; check the name and its permissions"]
    assert problems == ([] if "lost" in place else named)
    assert photos == {"album": [], "album/more": ["album/a.jpg"]}.get(
        place, ["album/a.jpg", "album/more/b.png"]
    )


def test_links_to_folders_are_followed_and_no_folder_is_read_twice(album):
    Path("elsewhere").mkdir()
    Path("elsewhere/c.gif").touch()
    for link, target in {"x": "elsewhere", "more/up": "album", "0": "album/more"}.items():
        (album / link).symlink_to(Path(target).resolve())
    assert found("album") == (["album/a.jpg", "album/more/b.png", "album/x/c.gif"], [])


def test_photos_of_a_folder_are_known_by_their_suffix(album):
    for name in ("c.jfif", "d.JPE", "e.apng", "f.heic", "a.jpg.annotated.jpg", "b.completed.png"):
        (album / name).touch()
    photos = ["album/a.jpg", "album/c.jfif", "album/d.JPE", "album/e.apng", "album/more/b.png"]
    assert found("album") == (photos, [])


@pytest.mark.parametrize("mode", ["LAB", "I;16", "F"])
def test_other_kinds_of_pixels_are_refused(mode):
    with pytest.raises(UserError, match=f"of the kind {mode}; save it in RGB or grey, 8 bits per"):
        read_photo(Image.new(mode, (9, 9)))

"""What the page of `unmask demo` says of a photo, and what starting it needs."""

import socket
import struct
import zlib
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_reader import noise, save_reader

from unmask.core.errors import UserError
from unmask.photos.demo import Demo, examples, trained
from unmask.photos.demo_page import bars, html

command = import_module("unmask.cli.demo")  # `unmask.cli.demo` is the command itself


@pytest.fixture(scope="module")
def demo(fetched, reader, models):
    """A demo with two reconstructors, one of them with a classifier of its faces."""
    return Demo(reader, [models / "reconstructors/mirror", models / "reconstructors/other"])


def picture(pixels):
    return Image.fromarray(pixels)


def scaled(astronaut, side):
    return picture(astronaut).resize((side, side))


def test_a_face_is_read_with_and_without_each_reconstruction(demo, astronaut):
    answer = demo(picture(astronaut))
    (face,) = answer.result.faces
    with_classifier, without = answer.reconstructions[0]
    assert (with_classifier.name, without.name) == ("mirror", "other")
    assert not face.masked
    np.testing.assert_array_equal(with_classifier.face[:24], face.crop[:24])
    np.testing.assert_array_equal(with_classifier.face[24:], face.crop[23::-1])
    assert sum(with_classifier.probabilities.values()) == pytest.approx(1)
    assert with_classifier.probabilities != pytest.approx(face.probabilities)
    assert without.probabilities is None
    page = html(answer)
    assert "not evidence of anything" in page
    assert "No mask is seen" in page
    assert "Not read: no classifier of such faces is there." in page
    assert "not calibrated" in page


def test_a_mask_is_seen_on_the_lower_half(demo, masked):
    answer = demo(picture(masked))
    assert answer.result.faces[0].masked
    assert "A mask is seen" in html(answer)
    assert 'class="um-crop masked"' in html(answer)


def test_of_several_faces_the_largest_is_open(demo, astronaut):
    photo = Image.new("RGB", (812, 512), (120, 120, 120))
    photo.paste(scaled(astronaut, 300), (0, 0))
    photo.paste(picture(astronaut), (300, 0))
    answer = demo(photo)
    assert answer.chosen == 1
    small, large = html(answer).split("<details")[1:]
    assert " open>" not in small
    assert " open>" in large
    assert len(answer.reconstructions) == 2


def test_a_cropped_face_is_not_looked_for(demo, astronaut):
    crop = demo(picture(astronaut)).result.faces[0].crop
    answer = demo(picture(crop), cropped=True)
    np.testing.assert_array_equal(answer.result.faces[0].crop, crop)


def too_large(path):
    """Write the header of a picture of 40,000 x 40,000 pixels."""
    chunks = [b"IHDR" + struct.pack(">IIBBBBB", 40_000, 40_000, 8, 0, 0, 0, 0), b"IDAT"]
    parts = [
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in chunks
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def no_picture(path):
    path.write_text("no picture")


def no_face(path):
    picture(noise()).save(path)


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (no_picture, "This file: not a picture that can be read; save it as JPEG, PNG, WebP, "),
        (too_large, "pixels are not read; scale it down"),
        (no_face, "No face found; if the picture is nothing but a face, tick “Already a cropped"),
    ],
)
def test_what_is_wrong_is_one_line_that_does_not_name_a_folder(demo, tmp_path, write, said):
    write(file := tmp_path / "photo.png")
    answer = demo(file)
    assert said in answer.problem
    assert str(tmp_path) not in answer.problem
    assert "\n" not in answer.problem
    assert html(answer).count('role="alert"') == 1


def test_a_face_too_small_is_marked_and_not_read(demo, astronaut):
    photo = Image.new("RGB", (600, 400), (120, 120, 120))
    photo.paste(scaled(astronaut, 100), (100, 100))
    page = html(demo(photo))
    assert "not read, a face of 18 pixels is too small to read; take a photo" in page
    assert "um-box unread" in page
    assert "not evidence" not in page


def test_an_upload_is_deleted_whether_or_not_it_is_a_picture(demo, tmp_path):
    for write in (no_face, no_picture):
        (tmp_path / "uploads/0123").mkdir(parents=True)
        write(file := tmp_path / "uploads/0123/photo.png")
        assert "um-note" in command.answer(demo, file, False, tmp_path / "uploads")
        assert list((tmp_path / "uploads").iterdir()) == []


def test_a_path_elsewhere_is_neither_read_nor_deleted(demo, tmp_path, astronaut):
    picture(astronaut).save(file := tmp_path / "mine.png")
    (tmp_path / "uploads").mkdir()
    for path in (file, tmp_path / "uploads/../mine.png", tmp_path / "uploads/gone.png"):
        said = command.answer(demo, path, False, tmp_path / "uploads")
        assert "This photo is gone; choose it again." in said
    assert file.exists()


def test_every_face_of_the_examples_is_found(demo):
    results = [demo(one.picture, one.cropped).result for one in examples()]
    assert [len(result.faces) for result in results] == [1, 1, 3, 1]
    assert results[0].faces[0].masked


def test_a_chart_gives_each_name_and_number_as_text():
    chart = bars({"happy": 0.75, "<b>": 0.25}, {"happy": 0.5, "<b>": 0.5})
    assert "happy</th>" in chart
    assert "75\N{NO-BREAK SPACE}%" in chart
    assert "&lt;b&gt;" in chart
    assert "left:calc(50.00% - 1px)" in chart


def test_the_reconstructors_of_the_pipeline_are_found(models, monkeypatch):
    monkeypatch.chdir(models.parent)
    assert [folder.name for folder in trained()] == ["mirror", "other"]


def test_a_reconstructor_may_lie_directly_below_the_root(fetched, reader, mirror, monkeypatch):
    monkeypatch.chdir(mirror.parent)
    monkeypatch.setattr(Path, "absolute", lambda path: path)  # then nothing is above this folder
    assert Demo(reader, [Path(mirror.name)]).has_reconstructors


def test_a_classifier_of_other_faces_is_refused(fetched, reader, mirror, tmp_path):
    folder = tmp_path / "reconstructors/mirror"
    folder.parent.mkdir()
    folder.symlink_to(mirror)
    save_reader(tmp_path / "final/mirror", "stitched unet")
    with pytest.raises(
        UserError, match="reads faces stitched by unet; give a reader of faces stit"
    ):
        Demo(reader, [folder])


@pytest.fixture
def refusal(unmask_command):
    """A function that runs `unmask demo`, which has to fail, and returns the line it says."""

    def run(*words):
        result = unmask_command("demo", *words)
        assert (result.status, result.out) == (2, [])
        (line,) = result.err
        return line

    return run


@pytest.mark.parametrize("library", ["gradio", "ai_edge_litert"])
def test_a_missing_extra_is_one_line(refusal, monkeypatch, library):
    monkeypatch.setattr(command, "find_spec", lambda name: None if name == library else object())
    assert refusal() == (
        f"error: {library}, which the demo needs, is not installed; "
        "run `pip install -e '.[demo]'` in the clone"
    )


def test_a_port_in_use_is_one_line(refusal):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = f"error: port {port} is in use; choose another one with --port"
        assert refusal("--port", port) == said


def test_a_host_that_is_not_ours_is_one_line(refusal):
    assert "192.0.2.1, port 0: " in refusal("--host", "192.0.2.1", "--port", 0)
    for host in ("no.such.invalid", "a..b", ""):
        said = f"--host {host or repr(host)}: no address of this computer; leave it out"
        assert said in refusal("--host", host, "--port", 0)


def test_missing_face_models_are_one_line(refusal, monkeypatch, tmp_path):
    monkeypatch.setenv("UNMASK_FACE_MODELS", str(tmp_path))
    assert "run `unmask fetch face-models`" in refusal("--port", 0)


def test_a_reader_instead_of_a_reconstructor_is_one_line(refusal, fetched, reader):
    assert "a classifier; give a reconstructor" in refusal("--port", 0, "--completion", reader)

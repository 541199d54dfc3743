"""`unmask` as a user types it: what it prints, what it refuses, and how it ends."""

import csv
import errno
import fcntl
import json
import os
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_reader import noise, save_reader

from unmask.cli import predict as predict_command
from unmask.core.faces import CLASSES
from unmask.core.files import read_json, write_json
from unmask.photos import face_models

UNMASK = [sys.executable, "-c", "from unmask.cli.main import main; main()"]


def rows(lines):
    return list(csv.DictReader(lines))


def test_help_comes_at_once():
    """It waits for nothing that takes long to import."""
    code = """
import sys
from unmask.cli.main import main
try:
    main(["--help"])
finally:
    print(sorted({"numpy", "torch"} & set(sys.modules)))
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert {"predict", "fetch"} <= set(done.stdout.split())
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_folder_is_read_into_a_table(photos, unmask_command, reader):
    done = unmask_command("predict", "album", "--model", reader)
    assert done.status == 0
    head, bare, covered = done.out
    assert head.split() == ["file", "face", "at", "mask", "expression", "read", "by"]
    assert bare.startswith("album/bare.png ")
    assert "  no  " in bare
    assert covered.startswith("album/more/masked.jpg ")
    assert "  yes  " in covered
    assert all(line.endswith("masked-face reader") for line in (bare, covered))
    (note,) = done.err
    assert "no calibration.json" in note


def test_json_has_a_photo_a_line(photos, unmask_command, reader):
    Image.fromarray(noise()).save(photos / "noise.png")
    done = unmask_command("predict", "album", "--model", reader, "--format", "json")
    bare, covered, nothing = map(json.loads, done.out)
    assert done.status == 0
    assert [photo["file"] for photo in (bare, covered, nothing)] == [
        "album/bare.png", "album/more/masked.jpg", "album/noise.png"
    ]  # fmt: skip
    assert (bare["width"], bare["height"]) == (512, 512)
    (face,) = covered["faces"]
    assert face["masked"] is True
    assert sum(face["probabilities"].values()) == pytest.approx(1)
    assert nothing["faces"] == []
    assert nothing["problem"].startswith("no face found; ")


def test_csv_has_a_face_a_line(photos, unmask_command, reader):
    Image.fromarray(noise()).save(photos / "noise.png")
    done = unmask_command("predict", "album", "--model", reader, "--format", "csv")
    bare, covered, nothing = rows(done.out)
    assert (bare["masked"], covered["masked"], nothing["masked"]) == ("false", "true", "")
    assert sum(float(bare[name]) for name in CLASSES) == pytest.approx(1, abs=1e-4)
    assert float(bare["left"]) == pytest.approx(173, abs=10)
    assert nothing["problem"].startswith("no face found; ")


def png_of(width, height):
    """The beginning of a PNG that says that it has this size."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 1000) + b"IDAT"


def test_bad_files_are_named_and_the_others_read(photos, unmask_command, reader):
    (photos / "a.jpg").write_text("no picture")
    (photos / "b.png").write_bytes(png_of(40_000, 40_000))
    (photos / "c.png").write_bytes((photos / "bare.png").read_bytes()[:50_000])
    (photos / "d.jpg").touch()
    done = unmask_command("predict", "album", "gone.jpg", "--model", reader, "--format", "csv")
    assert done.status == 1
    errors = [line for line in done.err if line.startswith("error: ")]
    assert [line.split(":")[1].strip() for line in errors] == [
        "gone.jpg", "album/a.jpg", "album/b.png", "album/c.png", "album/d.jpg"
    ]  # fmt: skip
    assert all("; " in line for line in errors)
    assert "more than 100,000,000 pixels" in errors[2]
    expressions = {row["file"]: row["expression"] for row in rows(done.out)}
    read = {file for file, expression in expressions.items() if expression}
    assert read == {"album/bare.png", "album/more/masked.jpg"}


def test_no_line_is_lost_where_several_threads_open_face_models(photos, reader):
    for number in range(12):
        (photos / f"{number:02}.png").write_bytes((photos / "bare.png").read_bytes())
    (photos / "05.jpg").write_text("no picture")
    many = "from unmask.photos import predict; predict.cores = lambda: 8; "
    done = subprocess.run(
        [sys.executable, "-c", many + UNMASK[-1], "predict", "album", "--model", str(reader)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 15)
    note, error = done.stderr.splitlines()
    assert "no calibration.json" in note
    assert error.startswith("error: album/05.jpg: not a picture")


def test_what_cannot_be_read_of_a_face_is_said(photos, unmask_command, reader, astronaut):
    Image.fromarray(astronaut).resize((80, 80)).save("tiny.png")
    Image.fromarray(astronaut[105:]).save("cut.png")
    done = unmask_command("predict", "tiny.png", "cut.png", "--model", reader)
    assert done.status == 0
    assert "too small to read" in done.out[1]
    assert "cut by the edge" in done.out[2]


def test_a_name_that_is_no_utf8_comes_out_as_it_came_in(tmp_path, reader):
    name = b"caf\xe9.png"
    Image.fromarray(noise(48)).save(tmp_path / os.fsdecode(name))
    done = subprocess.run(
        [*UNMASK, "predict", "-", "--model", reader, "--faces-are-cropped", "--format", "csv"],
        input=name + b"\n", capture_output=True, check=False, cwd=tmp_path,
        env=os.environ | {"PYTHONIOENCODING": "utf-8:strict"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].startswith(name + b",1,")


@pytest.fixture
def shell(tmp_path, reader):
    """A function that has a shell read the cropped faces in a folder."""
    Image.fromarray(noise(48)).save(tmp_path / "é.png")

    def run(words, **environment):
        script = f'"$@" {words} --faces-are-cropped'
        return subprocess.run(
            ["bash", "-c", script, "bash", *UNMASK, "predict", "--model", reader],
            capture_output=True, text=True, check=False, cwd=tmp_path, env=os.environ | environment,
        )  # fmt: skip

    return run


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("- <&-", 1, "error: standard input: lists no photo; check what writes the list"),
        ("é.png >&-", 0, ""),
        ("gone.png 2>&-", 1, ""),
        (
            "é.png > /dev/full", 2,
            "error: standard output: No space left on device; fix this and run again",
        ),
    ],
)  # fmt: skip
def test_streams_that_are_closed_or_full_are_no_traceback(shell, words, status, said):
    done = shell(words)
    errors = [line for line in done.stderr.splitlines() if not line.startswith("note: ")]
    assert (done.returncode, done.stdout, errors) == (status, "", [said] if said else [])


def test_a_name_that_the_encoding_has_not_is_escaped(shell):
    done = shell("é.png", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout.splitlines()[1].split()[0]) == (0, r"\xe9.png")


@pytest.mark.parametrize("pattern", ["album/*.png", "album/**/*.png", "-"])
def test_patterns_and_lists_are_read(photos, unmask_command, reader, pattern):
    done = unmask_command("predict", pattern, "--model", reader, given="album/bare.png\n")
    assert [line.split()[0] for line in done.out] == ["file", "album/bare.png"]


def test_a_folder_without_photos_is_an_error(tmp_path, monkeypatch, unmask_command, reader):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/notes.txt").touch()
    done = unmask_command("predict", "empty", "--model", reader)
    assert (done.status, done.out) == (1, [])
    assert done.err == [
        "error: empty: no photos in this folder, only notes.txt; "
        "they are JPEG, PNG, WebP, BMP, GIF or TIFF"
    ]


def test_shares_are_the_whole(tmp_path, monkeypatch, unmask_command, reader):
    monkeypatch.chdir(tmp_path)
    for number in range(20):
        Image.fromarray(noise(48)).save(tmp_path / f"{number}.png")
    words = ["predict", ".", "--model", reader, "--faces-are-cropped", "--format", "csv"]
    shares = [rows(unmask_command(*words, "--shard", f"{i}/3").out) for i in (1, 2, 3)]
    names = [[row["file"] for row in share] for share in shares]
    assert all(names)
    assert sorted(name for share in names for name in share) == sorted(
        f"{number}.png" for number in range(20)
    )
    (tmp_path / "0.png").unlink()  # what comes or goes moves no other
    again = [row["file"] for row in rows(unmask_command(*words, "--shard", "1/3").out)]
    assert again == [name for name in names[0] if name != "0.png"]


def test_a_share_without_photos_has_the_head_of_the_others(photos, unmask_command, reader):
    words = ["predict", "album/bare.png", "--model", reader, "--faces-are-cropped"]
    outputs = [unmask_command(*words, "--format", "csv", "--shard", f"{i}/2").out for i in (1, 2)]
    none, one = sorted(outputs, key=len)
    assert (none, len(one)) == (one[:1], 2)


@pytest.mark.parametrize("share", ["0/3", "4/3", "3", "a/b", "1/0"])
def test_a_share_that_is_none_is_refused(unmask_command, share):
    done = unmask_command("predict", "x.png", "--shard", share)
    assert done.status == 2
    assert "is no share" in done.err[-1]


def test_pictures_of_the_result_are_saved(photos, unmask_command, reader, mirror):
    done = unmask_command(
        "predict", "album", "--model", reader,
        "--save-crops", "crops", "--annotate", "marked", "--completion", mirror,
    )  # fmt: skip
    assert done.status == 0
    crop = np.asarray(Image.open("crops/more/masked.jpg-1.png"))
    assert (crop.shape, crop.dtype) == ((48, 48), np.uint8)
    assert Path("crops/bare.png-1.completed.png").exists()
    marked = np.asarray(Image.open("marked/bare.png.annotated.jpg")).astype(int)
    original = np.asarray(Image.open("album/bare.png")).astype(int)
    assert marked.shape[1] > original.shape[1]  # completed faces stand beside the photo
    changed = np.abs(marked[:512, :512] - original).sum(axis=2) > 150
    assert 0.001 < changed.mean() < 0.05


def pipe(path, content):
    os.mkfifo(path)
    threading.Thread(target=path.write_bytes, args=[content], daemon=True).start()
    return path


def with_long_name(path, content):
    path = path.with_stem("x" * 240)
    path.write_bytes(content)
    return path


def in_the_way(path, content):
    path.write_bytes(content)
    Path(f"marked/{path.name}.annotated.jpg").mkdir(parents=True)
    return path


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (pipe, "cannot be read again to mark its faces; save it as a file"),
        (with_long_name, "a picture is not saved in marked (file name too long); rename it"),
        (in_the_way, "a picture is not saved in marked (is a directory); rename it"),
    ],
)
def test_a_picture_that_cannot_be_saved_is_named_and_the_others_are(
    photos, unmask_command, reader, make, said
):
    odd = make(Path("odd.png"), (photos / "bare.png").read_bytes())
    words = ["--model", reader, "--faces-are-cropped", "--annotate", "marked"]
    done = unmask_command("predict", odd, "album", *words)
    assert (done.status, len(done.out)) == (1, 4)
    assert done.err[1:] == [f"error: {odd}: {said}"]
    assert {str(path) for path in Path("marked").rglob("*") if path.is_file()} == {
        "marked/bare.png.annotated.jpg", "marked/more/masked.jpg.annotated.jpg"
    }  # fmt: skip


@pytest.mark.parametrize(
    "why", [errno.ENOSPC, errno.EACCES, errno.ENOTDIR], ids=errno.errorcode.get
)
def test_where_nothing_can_be_saved_one_line_ends_it(
    photos, unmask_command, reader, monkeypatch, why
):
    def refuse(path):
        raise OSError(why, os.strerror(why), str(path))

    monkeypatch.setattr("unmask.photos.drawing.atomic_write", refuse)
    words = ["--model", reader, "--faces-are-cropped", "--save-crops", "crops"]
    done = unmask_command("predict", "album", *words)
    assert (done.status, len(done.out)) == (2, 2)
    assert done.err[1:] == [
        f"error: crops/bare.png-1.png: {os.strerror(why)}; fix this and run again"
    ]


def test_a_photo_wider_than_a_jpeg_can_be_is_marked_smaller(in_folder, unmask_command, reader):
    Image.new("L", (70_000, 48)).save("wide.png")
    words = ["--model", reader, "--faces-are-cropped", "--annotate", "marked"]
    done = unmask_command("predict", "wide.png", *words)
    assert done.status == 0
    assert Image.open("marked/wide.png.annotated.jpg").size == (65_500, 45)


def test_marked_photos_are_not_read_again(photos, unmask_command, reader):
    words = ["album", "--model", reader, "--faces-are-cropped", "--annotate", "album"]
    first, again = (unmask_command("predict", *words) for _ in range(2))
    assert again == first


def test_what_is_saved_has_a_name_of_its_own(photos, unmask_command, reader):
    (photos / "more/bare.png").write_bytes((photos / "bare.png").read_bytes())
    words = ["predict", "album/bare.png", "album/more/bare.png", "--model", reader]
    done = unmask_command(*words, "--save-crops", "crops")
    assert done.status == 2
    assert "would have the same name" in done.err[-1]
    assert not Path("crops").exists()


def test_completion_is_shown_somewhere(photos, unmask_command, reader, mirror):
    done = unmask_command("predict", "album", "--model", reader, "--completion", mirror)
    assert done.status == 2
    assert done.err == [
        "error: --completion: nowhere to show it; add --save-crops DIR or --annotate DIR"
    ]


def test_models_that_cannot_read_are_refused_in_one_line(photos, unmask_command, mirror):
    def refusal(*words):
        done = unmask_command("predict", "album", *words)
        assert (done.status, done.out, len(done.err)) == (2, [], 1)
        return done.err[0]

    assert "gone: no reader there; " in refusal("--model", "gone")
    assert "a reconstructor, not a reader; " in refusal("--model", mirror)
    stitched = save_reader(Path("stitched"), "stitched unet")
    assert "reads faces stitched by unet; " in refusal("--model", stitched)
    later = save_reader(Path("later"))
    write_json(later / "config.json", read_json(later / "config.json") | {"format": 99})
    assert "format 99, but this version of unmask reads format 1; " in refusal("--model", later)
    odd = save_reader(Path("odd"))
    write_json(odd / "calibration.json", {"temperature": 0.0, "threshold": 0.5})
    assert "temperature: input should be greater than 0" in refusal("--model", odd)


def test_without_face_models_one_line_says_how_to_get_them(
    photos, unmask_command, reader, monkeypatch
):
    monkeypatch.setenv(face_models.FOLDER_VARIABLE, str(photos / "nothing"))
    done = unmask_command("predict", "album", "--model", reader)
    assert (done.status, done.out) == (2, [])
    assert done.err[-1].endswith("; run `unmask fetch face-models`")
    cropped = unmask_command("predict", "album", "--model", reader, "--faces-are-cropped")
    assert (cropped.status, len(cropped.out)) == (0, 3)


def test_without_the_extra_one_line_says_how_to_get_it(photos, unmask_command, reader, monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    done = unmask_command("predict", "album", "--model", reader)
    assert done.status == 2
    assert "pip install -e '.[faces]'" in done.err[-1]


def unread(pipe):
    """Return how many bytes are in a pipe."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


@pytest.mark.parametrize("full", [False, True])
def test_ctrl_c_leaves_complete_lines(tmp_path, reader, full):
    # More than fits into the pipe, so that the command is still at work when it hears of Ctrl-C.
    for number in range(100):
        Image.fromarray(noise(48)).save(tmp_path / f"{number}.png")
    words = ["predict", str(tmp_path), "--model", str(reader), "--faces-are-cropped"]
    running = subprocess.Popen(
        [*UNMASK, *words, "--format", "json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, pipesize=4096,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    first = [running.stdout.readline() for _ in range(20)]
    deadline = time.monotonic() + 120
    while full and unread(running.stdout) < 4096 - 2 * len(first[-1]):
        assert running.poll() is None
        assert time.monotonic() < deadline, "the pipe has not filled within two minutes"
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    out, err = running.stdout.read(), running.stderr.read()  # communicate() loses what is buffered
    assert running.wait(timeout=30) == 130
    assert err.splitlines()[-1] == "interrupted"
    assert all(json.loads(line)["faces"] for line in (*first, *out.splitlines()))
    assert out == "" or out.endswith("\n")


def test_a_line_is_finished_whichever_thread_hears_ctrl_c(monkeypatch):
    ended = []
    monkeypatch.setattr(predict_command, "interrupted", lambda *_: ended.append(True))
    ctrl_c = predict_command._CtrlC()
    before = signal.signal(signal.SIGINT, ctrl_c)
    may_end = threading.Event()
    listener = threading.Thread(target=may_end.wait)
    listener.start()  # unlike this thread, it hears the signal, and Python calls the handler here
    try:
        with ctrl_c.waiting():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.2)
            assert not ended
        assert ended
    finally:
        may_end.set()
        listener.join()
        signal.signal(signal.SIGINT, before)

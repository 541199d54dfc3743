"""Files made up by Hypothesis: read as a slow reader reads them, or refused in one line."""

import re

import numpy as np
import pytest
import reference
from hypothesis import example, given
from hypothesis import strategies as st

import faces_csv
from unmask.core.errors import UserError
from unmask.core.faces import SIZE
from unmask.sources import detect, pixels

# Most cases are small faces: with four pixels, a file of a few lines can hold every mistake.
SMALL = 2

_ODD = [
    "256",
    "300",
    "-1",
    "+1",
    "12.5",
    "abc",
    "nan",
    "1_0",
    "\u0663",
    "0012",
    "",
    " ",
    "\t",
    "\0",
]
_SPACE = st.sampled_from(["", "", "", " ", "\t", "  "])
_USAGES = ["Training", "PublicTest", "PrivateTest"]


def numbers(count):
    """Valid pixels; large faces come from a few fixed ones, as they are slow to draw."""
    if count > SMALL * SMALL:
        return st.integers(0, 9).map(lambda seed: faces_csv.pixels(seed).split(" "))
    return st.lists(st.integers(0, 255).map(str), min_size=count, max_size=count)


def pixel_fields(count):
    """Mostly valid, some with one odd number, some of another length."""
    right = numbers(count)
    spoiled = st.tuples(right, st.integers(0, count), st.integers(0, 2), st.sampled_from(_ODD)).map(
        lambda parts: [*parts[0][: parts[1]], parts[3], *parts[0][parts[1] + parts[2] :]]
    )
    return st.one_of(right, right, right, spoiled).map(" ".join)


@st.composite
def files(draw, count):
    """Files of a few rows, mostly valid, in any of the accepted forms."""
    names = draw(st.permutations(["emotion", "pixels", "Usage"]))
    usages = st.sampled_from([*_USAGES, *_USAGES, *_USAGES, "training", "Test", ""])
    labels = st.sampled_from([*"0123456", *"0123456", *"0123456", "7", "-1", "3.0", "angry", ""])
    parts = {"emotion": labels, "pixels": pixel_fields(count), "Usage": usages}
    lines = [",".join(draw(_SPACE) + name + draw(_SPACE) for name in names)]
    for _ in range(draw(st.integers(0, 4))):
        quote = draw(st.sampled_from(["", "", "", '"']))
        lines.append(",".join(draw(_SPACE) + quote + draw(parts[name]) + quote for name in names))
    for _ in range(draw(st.integers(0, 2))):
        extra = draw(st.sampled_from(["", "  ", lines[0], "x", ",", ",,", '"', '",",","']))
        lines.insert(draw(st.integers(0, len(lines))), extra)
    mark = draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf"]))
    ending = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    content = mark + ending.join(lines).encode() + draw(st.sampled_from([b"", b"\n", b"\r\n\r\n"]))
    return damaged(draw, content)


def damaged(draw, content):
    """Change a few bytes, mostly none."""
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        start = draw(st.integers(0, len(content)))
        stop = start + draw(st.sampled_from([0, 1, 1, 2, 9]))
        content = content[:start] + draw(st.binary(max_size=3)) + content[stop:]
    return content


def outcome(path):
    """Return the faces of a file, and the line that was refused or None."""
    blocks, fault = [], None
    try:
        blocks.extend(detect.find(path).read(faces_csv.DATA))
    except UserError as error:
        message = str(error)
        assert "\n" not in message
        assert message.isprintable()
        assert re.search(r"[^;]; \S", message)
        line = re.match(rf"{re.escape(str(path))}:(\d+): ", message)
        fault = int(line[1]) if line else 0
        assert message.startswith(f"{path}: ") or line
    return blocks, fault


def check(folder, content, count):
    path = folder / "fer2013.csv"
    path.write_bytes(content)
    blocks, fault = outcome(path)
    faces = reference.read(content, count)
    if fault == 0 and faces.fault is not None:
        return  # refused as a whole; the reference names its first line instead
    assert fault == faces.fault
    if fault is None:
        for name in ("images", "labels", "split", "row"):
            found = [getattr(block, name) for block in blocks]
            values = (
                np.concatenate(found).reshape(len(faces.row), -1) if found else np.empty((0, 1))
            )
            assert values.squeeze(-1 if name != "images" else ()).tolist() == getattr(faces, name)


@pytest.fixture
def small_faces(monkeypatch):
    monkeypatch.setattr(pixels, "SIZE", SMALL)
    monkeypatch.setattr(pixels, "COUNT", SMALL * SMALL)


@given(content=files(SMALL * SMALL))
@example(content=b'emotion,pixels,Usage\n0,"1 2 3 4",Training')
@example(content=b"emotion,pixels,Usage\n0,1 2 3 4,Training\r\r\n\n6,255 0 255 0,PrivateTest")
@example(content=b'emotion,pixels,Usage\n",",1 2 3 4,Training')
def test_small_faces_are_read_as_a_slow_reader_reads_them(tmp_path, small_faces, content):
    check(tmp_path, content, SMALL * SMALL)


@given(content=files(SIZE * SIZE))
def test_faces_are_read_as_a_slow_reader_reads_them(tmp_path, content):
    check(tmp_path, content, SIZE * SIZE)


@given(content=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_arbitrary_bytes_are_refused_in_one_line(tmp_path, content):
    path = tmp_path / "fer2013.csv"
    path.write_bytes(content)
    blocks, fault = outcome(path)
    assert fault is not None or not sum(len(block.labels) for block in blocks)

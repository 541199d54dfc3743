"""Archives and arrays with changed bytes: read, or refused in one line, and nothing else."""

import bz2
import gzip
import io
import lzma
import re
import tarfile
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packing import pax, tarred, zipped

import faces_csv
from unmask.core.errors import UserError
from unmask.core.files import open_array
from unmask.sources import detect, pixels

SMALL = 2
_CSV = b"emotion,pixels,Usage\n" + b"0,1 2 3 4,Training\n" * 3
_MEMBERS = [("README", b"notes"), ("d/fer2013.csv", _CSV)]


def _long_names():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as file:
        entry = tarfile.TarInfo("d/" * 80 + "fer2013.csv")
        entry.size = len(_CSV)
        file.addfile(entry, io.BytesIO(_CSV))
    return buffer.getvalue()


_SPARSE = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "99"}
ARCHIVES = [
    gzip.compress(_CSV),
    lzma.compress(_CSV),
    bz2.compress(_CSV),
    zipped(_MEMBERS),
    zipped(_MEMBERS, zipfile.ZIP_LZMA),
    tarred(_MEMBERS)[:4096],
    _long_names()[:4096],
    pax({"comment": "x", "size": str(len(_CSV)), "mtime": "1.5"}, _CSV),
    pax(_SPARSE, b"1\n0\n78\n".ljust(512, b"\0") + _CSV),
    pax({"GNU.sparse.map": "0,78", "GNU.sparse.size": "78"}, _CSV),
    gzip.compress(tarred(_MEMBERS)),
]


def _array():
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((2, 3), dtype=np.uint8))
    return buffer.getvalue()


@st.composite
def changed(draw, originals):
    """One of `originals` with a few bytes inserted, removed or replaced."""
    content = draw(st.sampled_from(originals))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        stop = start + draw(st.sampled_from([0, 1, 1, 1, 2, 4, 99]))
        new = draw(st.binary(max_size=4) | st.sampled_from([b"-1", b"999999999", b"\xff" * 8]))
        content = content[:start] + new + content[stop:]
    return content


def check_message(error, path):
    message = str(error)
    assert message.startswith(str(path))
    assert message.isprintable()
    assert re.search(r"[^;]; \S", message)


@given(content=changed(ARCHIVES))
def test_a_changed_archive_is_read_or_refused_in_one_line(tmp_path, monkeypatch, content):
    monkeypatch.setattr(pixels, "SIZE", SMALL)
    monkeypatch.setattr(pixels, "COUNT", SMALL * SMALL)
    path = tmp_path / "fer2013.csv"
    path.write_bytes(content)
    try:
        blocks = list(detect.find(path).read(faces_csv.DATA))
    except UserError as error:
        check_message(error, path)
    else:
        assert sum(len(block.labels) for block in blocks) <= 3
    assert list(tmp_path.iterdir()) == [path]


@given(content=changed([_array()]))
@pytest.mark.filterwarnings("ignore")
def test_a_changed_array_is_opened_or_refused_in_one_line(tmp_path, content):
    path = tmp_path / "a.npy"
    path.write_bytes(content)
    try:
        array = open_array(path)
    except UserError as error:
        check_message(error, path)
    else:
        assert array.nbytes <= len(content)

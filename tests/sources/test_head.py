"""What people save under the name of the data by mistake."""

import gzip
import io
import json
import pickle
import re
import shlex
import sqlite3
import subprocess
import sys
import zlib

import numpy as np
import pytest
import safetensors.numpy
from PIL import Image

from faces_csv import USAGES, pixels, read, refusal, table, write


def encoded(form):
    buffer = io.BytesIO()
    Image.new("L", (48, 48)).save(buffer, form)
    return buffer.getvalue()


def saved():
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


def database():
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE faces (emotion, pixels, usage)")
        return connection.serialize()


def records():
    return [{"emotion": label, "pixels": pixels(label), "Usage": usage}
            for usage in USAGES for label in range(7)]  # fmt: skip


LINES = "\n".join(map(json.dumps, records())).encode()
NESTED = b'{"image": {"bytes": "iVBO"}, "label": 2}\n' * 3

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
    "LZ4": (b"\x04\x22\x4d\x18....", "LZ4"),
    "zlib": (zlib.compress(pickle.dumps(records())), "packed with zlib"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file, not a CSV file"),
    "HDF5 after a header": (bytes(512) + b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file, not"),
    "JSON": (json.dumps(records()).encode(), "JSON, not a CSV file"),
    "indented JSON": (json.dumps(records(), indent=1).encode(), "JSON, not a CSV file"),
    "JSON after a mark": (b"\xef\xbb\xbf\n" + json.dumps({}).encode(), "JSON, not a CSV file"),
    "JSON lines": (LINES, "JSON lines, not a CSV file"),
    "JSON lines of mappings": (NESTED, "JSON lines, not a CSV file"),
    "JSON lines of lists": (b'[2, "70 80"]\n[3, "70 80"]\n', "JSON lines, not a CSV file"),
    "JSON over some lines": (b'{\n "emotion": 2,\n "pixels": "70 80"\n}\n', "JSON, not a CSV file"),
    "JSON by columns": (b'{"emotion":{"0":2,"1":3},"pixels":{"0":"70"}}', "JSON, not a CSV file"),
    "Parquet": (b"PAR1\x15\x04" + bytes(99), "a Parquet file, not a CSV file"),
    "Feather": (b"ARROW1\0\0" + bytes(99), "a Feather or Arrow file, not a CSV file"),
    "old Feather": (b"FEA1" + bytes(99), "a Feather file, not a CSV file"),
    "ORC": (b"ORC\x08" + bytes(99), "an ORC file, not a CSV file"),
    "SQLite": (database(), "an SQLite database, not a CSV file"),
    "old Excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "(.xls)"),
    **{f"pickle {n}": (pickle.dumps(records(), n), "a pickle, not a CSV file") for n in range(6)},
    "pickle of an array": (pickle.dumps(np.zeros(9)), "a pickle, not a CSV file"),
    "old pickle of an array": (pickle.dumps(np.zeros(9), 0), "a pickle, not a CSV file"),
    "Arrow stream": (b"\xff\xff\xff\xff\x10\1\0\0" + bytes(99), "an Arrow stream, not a CSV file"),
    "encrypted Parquet": (b"PARE" + bytes(99), "an encrypted Parquet file, not a CSV file"),
    "R": (gzip.compress(b"RDX3\nX\n" + bytes(99)), "an R file, not a CSV file"),
    "Stata": (b"<stata_dta><header>", "a Stata file, not a CSV file"),
    "SPSS": (b"$FL2@(#) SPSS DATA FILE" + bytes(99), "an SPSS file, not a CSV file"),
    "NetCDF": (b"CDF\1" + bytes(99), "a NetCDF file, not a CSV file"),
    "XML of a storage service": (b"<Error><Code>AccessDenied</Code></Error>", "web page"),
    "NumPy": (saved(), "a NumPy array (.npy), not a CSV file"),
    "packed NumPy": (gzip.compress(saved()), "a NumPy array (.npy), not a CSV file"),
    "MATLAB": (b"MATLAB 5.0 MAT-file, Platform: x" + bytes(99), "a MATLAB file, not a CSV file"),
    "MATLAB 7.3": (b"MATLAB 7.3 MAT-file, Platform: x".ljust(512), "a MATLAB file, not a CSV file"),
    "safetensors": (safetensors.numpy.save({"w": np.zeros(9)}), "weights (safetensors), not a CSV"),
    "padded safetensors": (b"\x10\0\0\0\0\0\0\0{}" + b" " * 14, "weights (safetensors), not"),
    "GGUF": (b"GGUF\3\0\0\0" + bytes(99), "weights (GGUF), not a CSV file"),
    "TensorFlow Lite": (b"\x1c\0\0\0TFL3" + bytes(99), "weights (TensorFlow Lite), not a CSV file"),
    "ONNX": (b"\x08\x08\x12\x07pytorch\x1a\x052.5.1", "weights (ONNX), not a CSV file"),
    "PDF": (b"%PDF-1.7\n", "a PDF document, not a CSV file"),
    "RTF": (b"{\\rtf1\\ansi", "an RTF document, not a CSV file"),
    **{
        form: (encoded(form), f"an image ({form}), not a CSV file")
        for form in ("JPEG", "PNG", "GIF", "BMP", "TIFF")
    },
    "PNM": (b"P5\n48 48\n255\n" + bytes(2304), "an image (PNM), not a CSV file"),
    "HEIC": (b"\0\0\0\x1cftypheix" + bytes(99), "an image (HEIF), not a CSV file"),
    "BigTIFF": (b"II+\0\x08\0\0\0" + bytes(99), "an image (TIFF), not a CSV file"),
    "WebP": (encoded("WEBP"), "an image (WebP), not a CSV file"),
}


@pytest.mark.parametrize(("content", "what"), FOREIGN.values(), ids=FOREIGN.keys())
def test_what_is_no_csv_is_refused_by_name(tmp_path, content, what):
    path = write(tmp_path, content)
    message = refusal(path)
    assert message.startswith(f"{path}: ")
    assert what in message


@pytest.mark.parametrize("content", ["[InternetShortcut]\nURL=x\n", "[section]\n", "{template}\n"])
def test_brackets_alone_are_not_json(tmp_path, content):
    assert f"fer2013.csv:1: unknown column '{content.split()[0]}'" in refusal(
        write(tmp_path, content)
    )


@pytest.mark.parametrize("name", ["faces.json", 'it\'s (1) "new" $HOME.json'])
@pytest.mark.parametrize("content", [LINES, json.dumps(records())], ids=["lines", "whole"])
def test_command_that_converts_is_right(tmp_path, content, name):
    message = refusal(write(tmp_path, content, name))
    _, *arguments = shlex.split(re.search(r"`(python .*)`$", message)[1])
    subprocess.run([sys.executable, *arguments], check=True)
    assert len(read(tmp_path / f"{name}.csv").labels) == 21


def test_command_that_converts_parquet_is_named(tmp_path):
    path = write(tmp_path, b"PAR1" + bytes(99), "faces.parquet")
    code = f'import pandas; pandas.read_parquet("{path}").to_csv("{path}.csv", index=False)'
    assert f"convert it: `pip install pyarrow` and `python -c '{code}'`" in refusal(path)

"""The CSV layouts: what is read, what is refused, and where the refusal points."""

import re

import numpy as np
import pytest

from faces_csv import DATA, HEADER, image, pair, pixels, read, refusal, row, rows, table, write
from unmask.core.faces import TEST, TRAIN, VALIDATION
from unmask.sources import detect
from unmask.sources import text as tables

EXPECTED_SPLITS = [TRAIN] * 7 + [VALIDATION] * 7 + [TEST] * 7


def reordered(order, header):
    fields = [line.split(",") for line in rows()]
    return "\n".join([header, *(",".join(line[i] for i in order) for line in fields)])


READ = {
    "as it is": table(),
    "byte order mark": b"\xef\xbb\xbf" + table(),
    "CRLF": table().replace(b"\n", b"\r\n"),
    "CR": table().replace(b"\n", b"\r"),
    "CR CR LF": table().replace(b"\n", b"\r\r\n"),
    "trailing blank lines": table() + b"\n\r\n  \n",
    "no newline at the end": table().rstrip(),
    "leading blank line": b"\n" + table(),
    "icml_face_data.csv": reordered([0, 2, 1], "emotion, Usage, pixels"),
    "pixels first": reordered([1, 2, 0], "pixels,Usage,emotion"),
    "spaces around fields": table().replace(b",", b" , "),
    "quoted pixels": re.sub(rb",([\d ]{1000,}),", rb',"\1",', table()),
    "quoted fields": re.sub(rb"[^,\n]+", rb'"\g<0>"', table()),
    "leading zeros": re.sub(rb"(?<=[ ,])(\d\d?)(?=[ ,])", rb"0\1", table()),
    "upper-case header": table().replace(b"emotion", b"EMOTION", 1),
}


@pytest.mark.parametrize("content", READ.values(), ids=READ.keys())
def test_every_valid_form_gives_the_same_faces(tmp_path, content):
    faces = read(write(tmp_path, content))
    np.testing.assert_array_equal(faces.images, [image(seed) for seed in range(21)])
    assert faces.labels.tolist() == list(range(7)) * 3
    assert faces.split.tolist() == EXPECTED_SPLITS
    assert [array.dtype for array in faces] == [np.uint8, np.uint8, np.uint8, np.int64]


def named(column, form="{}"):
    """A whole valid file with a column of names, which are "0.png", "a 1.png", "a 2.png" ..."""
    names = [form.format(f"a {number}.png" if number else "0.png") for number in range(21)]
    lines = zip(rows(), names, strict=True)
    return "\n".join([f"{HEADER},{column}", *(f"{line},{name}" for line, name in lines), ""])


@pytest.mark.parametrize(
    "content",
    [
        named("Image name"),
        named("IMAGE_NAME", '"{}"'),
        named(" filename ", "  {} "),
        named("image").replace("\n", "\r\n"),
        named("Path").replace("\n", "\r"),
    ],
)
def test_a_column_may_name_the_faces(tmp_path, content):
    path = write(tmp_path, content)
    np.testing.assert_array_equal(read(path).images, [image(seed) for seed in range(21)])
    names = [name for block in detect.find(path).read(DATA) for name in block.names]
    assert names == ["0.png", *(f"a {number}.png" for number in range(1, 21))]


@pytest.mark.parametrize("line", ["a.png,b.png", '"a,b.png"', '"a'])
def test_a_name_that_is_not_one_field_is_refused(tmp_path, line):
    path = write(tmp_path, named("name").replace("a 5.png", line))
    assert refusal(path).startswith(f"{path}:7: ")


def test_row_is_the_line_number_in_the_file(tmp_path):
    assert read(write(tmp_path, table())).row.tolist() == list(range(2, 23))
    doubled = table().replace(b"\n", b"\n\n")
    assert read(write(tmp_path, doubled)).row.tolist() == list(range(3, 45, 2))


@pytest.mark.parametrize("size", [1, 3, 64, 997, 9000, 50_000])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_size_of_a_block_changes_nothing(tmp_path, monkeypatch, size, line_end):
    path = write(tmp_path, "\n".join([HEADER, *rows()[::7]]).encode().replace(b"\n", line_end))
    whole = read(path)
    monkeypatch.setattr(tables, "_BLOCK", size)
    for one, other in zip(whole, read(path), strict=True):
        np.testing.assert_array_equal(one, other)


def with_pixel(number, value):
    values = pixels().split(" ")
    values[number - 1] = value
    return f"0,{' '.join(values)},Training"


PIXEL_FAULTS = {
    "2303 pixels": (row().replace(" ", "", 1), "not a whole number|2303 pixels"),
    "2303 short pixels": (f"0,{' '.join(['7'] * 2303)},Training", "2303 pixels instead of 2304"),
    "2305 pixels": (f"0,{pixels()} 1,Training", "2305 pixels instead of 2304"),
    "empty": ("0,,Training", "no pixels"),
    "empty quotes": ('0,"",Training', "no pixels"),
    "two spaces": (row().replace(" ", "  ", 1), "two spaces before pixel 2"),
    "tabs": (row().replace(" ", "\t"), "pixel 1 is "),
    "256": (with_pixel(5, "256"), "pixel 5 is '256'"),
    "299": (with_pixel(5, "299"), "pixel 5 is '299'"),
    "300": (with_pixel(5, "300"), "pixel 5 is '300'"),
    "556 wraps to 44": (with_pixel(5, "556"), "pixel 5 is '556'"),
    "999 at the end": (with_pixel(2304, "999"), "pixel 2304 is '999'"),
    "four digits": (with_pixel(5, "0012"), "pixel 5 is '0012'"),
    "negative": (with_pixel(5, "-1"), "pixel 5 is '-1'"),
    "fraction": (with_pixel(5, "12.5"), "pixel 5 is '12.5'"),
    "word": (with_pixel(1, "abc"), "pixel 1 is 'abc'"),
    "nan": (with_pixel(5, "nan"), "pixel 5 is 'nan'"),
    "underscore": (with_pixel(5, "1_0"), "pixel 5 is '1_0'"),
    "Arabic digits": (with_pixel(5, "٣"), "pixel 5 is '٣'"),
    "NUL": (with_pixel(5, "\0"), "NUL byte"),
}
FIELD_FAULTS = {
    "label 7": (row(7), "emotion is '7'"),
    "label -1": (row(-1), "emotion is '-1'"),
    "label angry": (row("angry"), "emotion is 'angry'"),
    "label 3.0": (row("3.0"), "emotion is '3.0'"),
    "label 03": (row("03"), "emotion is '03'"),
    "no label": (row(""), "emotion is ''"),
    "misspelled Usage": (row(usage="PublicTset"), "Usage is 'PublicTset'.*PublicTest"),
    "lower-case Usage": (row(usage="training"), "Usage is 'training'"),
    "empty Usage": (row(usage=""), "Usage is ''"),
    "no Usage": (f"0,{pixels()}", "2 fields instead of 3"),
    "extra field": (f"{row()},1", "4 fields instead of 3"),
    "header again": (HEADER, "header for the second time"),
    "semicolons": (row().replace(",", ";"), "1 fields instead of 3"),
    "unclosed quote": (f'0,"{pixels()},Training', "quote that does not close"),
    "quote that only closes": (f'0,{pixels()}",Training', "not a whole number"),
    "quotes inside": (f'0,"{pixels()}""",Training', "not a whole number"),
    "pixels with commas": (f'0,"{pixels().replace(" ", ",")}",Training', "2306 fields"),
    "long line": (f"0,{'1 ' * 40_000},Training", "more than 64 KiB"),
}


@pytest.mark.parametrize("at", [0, 10, 21])
@pytest.mark.parametrize(
    ("line", "what"),
    (PIXEL_FAULTS | FIELD_FAULTS).values(),
    ids=(PIXEL_FAULTS | FIELD_FAULTS).keys(),
)
def test_bad_row_is_refused_with_its_line(tmp_path, line, what, at):
    lines = rows()
    path = write(tmp_path, "\n".join([HEADER, *lines[:at], line, *lines[at:]]))
    message = refusal(path)
    assert message.startswith(f"{path}:{at + 2}: ")
    assert re.search(what, message)


@pytest.mark.parametrize("size", [1000, 1 << 19])
def test_first_of_several_bad_rows_is_named(tmp_path, monkeypatch, size):
    monkeypatch.setattr(tables, "_BLOCK", size)
    bad = [with_pixel(9, "256"), row(7), row(usage="x"), "0,,Training"]
    for shift in range(len(bad)):
        turned = bad[shift:] + bad[:shift]
        path = write(tmp_path, "\n".join([HEADER, *rows()[:3], *turned]))
        assert refusal(path).startswith(f"{path}:5: ")


def test_every_single_character_in_place_of_a_digit_is_refused_or_read_as_python_does(tmp_path):
    for code in range(256):
        start = f"{HEADER}\n0,".encode()
        values = bytearray(pixels().encode())
        at = values.index(b" 2") + 1
        values[at] = code
        path = write(tmp_path, start + bytes(values) + b",Training\n")
        tokens = bytes(values).split(b" ")
        valid = len(tokens) == 2304 and all(t.isdigit() and int(t) < 256 for t in tokens)
        if valid:
            assert read(path).images.ravel().tolist() == [int(token) for token in tokens]
        elif code not in b"\t\r\n\v\f ":  # those are line ends or spaces around the field
            assert refusal(path).startswith(f"{path}:2: ")


HEADERS = {
    "duplicate column": ("emotion,pixels,Usage,pixels", "'pixels' twice"),
    "unknown column": ("id,emotion,pixels,Usage", "unknown column 'id'"),
    "index column": (",emotion,pixels,Usage", "unknown column ''"),
    "id of a face": ("emotion,pixels,Usage,face_id", "unknown column 'face_id'.*Image name"),
    "two names": ("emotion,image,pixels,Usage,Image name", "'image' and 'Image name' both name"),
    "a name twice": ("image,emotion,pixels,Usage,image", "'image' twice"),
    "faces with votes": ("emotion,pixels,Usage,Image name,neutral", "unknown column 'neutral'"),
    "no emotion": ("pixels,Usage", "no column emotion"),
    "no pixels": ("emotion,Usage", "no column pixels"),
    "no Usage": ("emotion,pixels", "no column Usage.*folder"),
    "no header": (row(), "unknown column '0'"),
    "semicolons": ("emotion;pixels;Usage", "no commas"),
    "competition's test.csv": ("pixels", "without labels; take icml_face_data.csv"),
    "FER+": (
        "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,"
        "unknown,NF",
        "FER\\+, which hold no pixels",
    ),
}


@pytest.mark.parametrize(("header", "what"), HEADERS.values(), ids=HEADERS.keys())
def test_other_header_is_refused(tmp_path, header, what):
    path = write(tmp_path, "\n".join([header, *rows()]))
    message = refusal(path)
    assert message.startswith(f"{path}:1: ")
    assert re.search(what, message)


@pytest.mark.parametrize("cut", [5, 500, 5000, 8000])
def test_truncated_last_row_is_refused(tmp_path, cut):
    path = write(tmp_path, table()[:-cut])
    assert refusal(path).startswith(f"{path}:22: ")


def write_pair(tmp_path, train, test):
    write(tmp_path, train, "train.csv")
    write(tmp_path, test, "test.csv")


def test_pair_has_unique_rows_and_a_drawn_validation_split(tmp_path):
    write_pair(tmp_path, *pair(train=40, test=14))
    faces = read(tmp_path)
    np.testing.assert_array_equal(faces.images, [image(seed) for seed in range(54)])
    assert faces.labels.tolist() == [seed % 7 for seed in range(54)]
    assert faces.row.tolist() == [*range(2, 42), *range(41 + 2, 41 + 16)]
    assert set(faces.split[:40]) == {TRAIN, VALIDATION}
    assert set(faces.split[40:]) == {TEST}


def test_draw_depends_on_seed_and_row_alone(tmp_path, monkeypatch):
    write_pair(tmp_path, *pair(train=40))
    faces = read(tmp_path)
    whole = dict(zip(faces.row.tolist(), faces.split.tolist(), strict=True))
    write_pair(tmp_path, *pair(train=21))
    monkeypatch.setattr(tables, "_BLOCK", 1000)
    part = read(tmp_path)
    assert [whole[number] for number in part.row[:21].tolist()] == part.split[:21].tolist()
    other = read(tmp_path, DATA.model_copy(update={"seed": 2}))
    assert other.split.tolist() != part.split.tolist()


def test_competition_test_csv_without_labels_is_refused_with_the_remedy(tmp_path):
    train, _ = pair()
    write_pair(tmp_path, train, f"pixels\n{pixels()}\n")
    message = refusal(tmp_path)
    assert message.startswith(f"{tmp_path / 'test.csv'}:1: ")
    assert "icml_face_data.csv" in message


def test_usage_in_a_pair_is_refused(tmp_path):
    write_pair(tmp_path, table(), pair()[1])
    assert "name this file itself" in refusal(tmp_path)

"""Kaggle's CSV layouts of FER2013.

- `fer2013.csv` has the columns `emotion,pixels,Usage`, `icml_face_data.csv` has the same ones as
  `emotion, Usage, pixels`; the column Usage names the split.
- `train.csv`, `test.csv` and perhaps `val.csv` have the columns `emotion,pixels`; without
  `val.csv`, the validation split is drawn from `train.csv`.

In either, a column may name the faces, as `Image name` in FER+ does, or say in `row` or `index`
which row of fer2013.csv they were, from 0.

Accepted: columns in any order, spaces around fields, one pair of double quotes around any field, a
byte order mark, line endings of any system, blank lines, no line ending after the last line.
Anything else is refused with its line number rather than guessed at.
"""

from collections.abc import Iterator, Sequence
from io import BufferedReader
from typing import NamedTuple, NoReturn

import numpy as np

from unmask.core.errors import UserError
from unmask.core.faces import TRAIN, VALIDATION, FaceBlock
from unmask.params.data import Data
from unmask.sources import head, pixels
from unmask.sources.archive import CsvFile
from unmask.sources.columns import LABELS, SPLIT_OF, Columns, drawn_split, locate
from unmask.sources.text import lines_of, quoted, text_blocks

_FIX = "get the file again, or fix this line"


def read(file: CsvFile) -> Iterator[FaceBlock]:
    """Yield the faces of a file with the column Usage; `row` is the line number, from 1.

    Raises UserError, `FILE:LINE: what is wrong; what to do`, for the first bad line.
    """
    return _Reader(file.label, has_split=False).blocks(file)


def read_splits(files: Sequence[CsvFile], data: Data) -> Iterator[FaceBlock]:
    """Yield the faces of one file for each split; see `CsvFile.split`.

    If none is for validation, some training faces are drawn. `row` is the line number, from 1;
    counting goes on from the last line of a file to the next, so that no two faces share a row.
    Raises UserError like `read`.
    """
    is_drawn = all(file.split != VALIDATION for file in files)
    lines = 0
    for file in files:
        reader = _Reader(file.label, has_split=True)
        for block in reader.blocks(file):
            row = block.row + lines
            split = np.full(len(row), file.split, dtype=np.uint8)
            if is_drawn and file.split == TRAIN:
                split = drawn_split(row, data)
            yield block._replace(split=split, row=row)
        lines += reader.lines


class _Row(NamedTuple):
    number: int
    label: int
    split: int
    pixels: bytes
    name: str


class _Reader:
    """Reads one file; `lines` counts the lines read so far."""

    def __init__(self, label: str, *, has_split: bool) -> None:
        self._label, self._has_split, self.lines = label, has_split, 0

    def blocks(self, file: CsvFile) -> Iterator[FaceBlock]:
        columns: Columns | None = None
        with file.open() as stream:
            head.refuse_foreign(stream.peek(head.LENGTH)[: head.LENGTH], self._label)
            _skip_byte_order_mark(stream)
            for first, text in text_blocks(stream, self._label):
                if columns and (block := pixels.parse_rows(text, first, columns)):
                    self.lines = first + len(block.labels) - 1
                    yield block
                    continue
                for start, lines in lines_of(text, first, self._label):
                    self.lines = start + len(lines) - 1
                    numbered = [
                        (number, line)
                        for number, line in enumerate(lines, start=start)
                        if line and not line.isspace()
                    ]
                    if columns is None and numbered:
                        columns = self._columns(*numbered.pop(0))
                    if columns and numbered:
                        yield self._block(numbered, columns)

    def _block(self, numbered: list[tuple[int, bytes]], columns: Columns) -> FaceBlock:
        rows, refusal = [], None
        for number, line in numbered:
            try:
                rows.append(self._row(number, line, columns))
            except UserError as error:
                refusal = error
                break
        images = pixels.parse_pixels([row.pixels for row in rows])
        if images is None:
            self._refuse_pixels(rows)
        if refusal:  # only now, because bad pixels in an earlier line come first
            raise refusal
        return FaceBlock(
            images,
            np.array([row.label for row in rows], dtype=np.uint8),
            np.array([row.split for row in rows], dtype=np.uint8),
            np.array([row.number for row in rows], dtype=np.int64),
            names=None if columns.name is None else [row.name for row in rows],
            are_rows=columns.names_are_rows,
        )

    def _row(self, number: int, line: bytes, columns: Columns) -> _Row:
        fields = line.split(b",")
        if len(fields) != columns.fields:
            self._refuse(number, line, f"{len(fields)} fields instead of {columns.fields}")
        emotion = self._bare(fields[columns.emotion], number, line)
        label = LABELS.get(emotion)
        if label is None:
            if emotion.lower() == b"emotion":
                self._refuse(number, line, "the header for the second time")
            self._refuse(number, line, f"emotion is {quoted(emotion)}, not 0, 1, ... or 6")
        split = TRAIN
        if columns.usage is not None:
            usage = self._bare(fields[columns.usage], number, line)
            if usage not in SPLIT_OF:
                allowed = ", ".join(name.decode() for name in SPLIT_OF)
                self._refuse(number, line, f"Usage is {quoted(usage)}, not one of {allowed}")
            split = SPLIT_OF[usage]
        numbers = self._bare(fields[columns.pixels], number, line)
        name = ""
        if columns.name is not None:
            name = pixels.decoded(self._bare(fields[columns.name], number, line))
        return _Row(number, label, split, numbers, name)

    def _bare(self, field: bytes, number: int, line: bytes) -> bytes:
        """Return `field` without the spaces and quotes around it."""
        field = field.strip()
        if not field.startswith(b'"'):
            return field
        if len(field) == 1 or not field.endswith(b'"'):
            self._refuse(number, line, f"a quote that does not close in {quoted(field)}")
        return field[1:-1].strip()

    def _refuse(self, number: int, line: bytes, what: str) -> NoReturn:
        if b"\0" in line:
            what = "a NUL byte; the file is damaged or in UTF-16"
        raise UserError(f"{self._label}:{number}: {what}; {_FIX}")

    def _refuse_pixels(self, rows: list[_Row]) -> NoReturn:
        for row in rows:
            what = pixels.fault(row.pixels)
            if what:
                self._refuse(row.number, row.pixels, what)
        raise RuntimeError("the two readers of pixels disagree")

    def _columns(self, number: int, line: bytes) -> Columns:
        names = [self._bare(field, number, line) for field in line.split(b",")]
        return locate(names, f"{self._label}:{number}", has_split=self._has_split)


def _skip_byte_order_mark(stream: BufferedReader) -> None:
    mark = b"\xef\xbb\xbf"
    if stream.peek(len(mark)).startswith(mark):
        stream.read(len(mark))

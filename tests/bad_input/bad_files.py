"""Files that are not CSV at all, lack faces of some kind, or are missing."""

import gzip
import json
import os
import pickle
import zlib
from pathlib import Path

import numpy as np
from cases import Case, put

from faces_csv import HEADER, pair, pixels, rows, table

_AGAIN = "get the file again, for instance with `unmask fetch`"
_PAGE = "<!DOCTYPE html>\n<html><head><title>Log in to Kaggle</title></head></html>\n"
_LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 301072766\n"
_DVC = "outs:\n- md5: 22af\n  size: 301072766\n  path: fer2013.csv\n"
_BINARY = f"binary data or UTF-16 text, not a CSV file; {_AGAIN}"
_NOT_CSV = f"not a CSV file; save its table as CSV, or {_AGAIN}"
_OTHER_COLUMN = "fer2013.csv:1: unknown column ..."


def _foreign(name: str, content: str | bytes, what: str) -> Case:
    return Case(name, put(content), f"fer2013.csv: {what}")


def _only(name: str, kept: list[str], what: str) -> Case:
    return _foreign(name, "\n".join([HEADER, *kept]), what)


def _no_faces(split: str) -> str:
    return (
        f"no faces in the {split} split; use a source that has some, or change "
        "data.validation_fraction if the validation split is drawn"
    )


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "fer2013.csv")


def _locked(folder: Path) -> None:
    put(table())(folder)
    (folder / "fer2013.csv").chmod(0)


def _link(target: str):
    return lambda folder: (folder / "fer2013.csv").symlink_to(target)


def _nothing(folder: Path) -> None:
    pass


FOREIGN = [
    _foreign("weights", b"\x10\0\0\0\0\0\0\0{}" + b" " * 14, f"weights (safetensors), not a CSV file; {_AGAIN}"),
    _foreign("an empty file", b"", f"empty; {_AGAIN}"),
    _foreign("only blank lines", "\n \n\n", f"empty; {_AGAIN}"),
    _foreign("only a byte order mark", b"\xef\xbb\xbf", f"empty; {_AGAIN}"),
    _foreign("an HTML login page", _PAGE, f"a web page, perhaps a login page; {_AGAIN}"),
    _foreign("an XML error of a storage service", '<?xml version="1.0"?><Error/>', f"a web page, perhaps a login page; {_AGAIN}"),
    _foreign("a git-lfs pointer", _LFS, "a git-lfs pointer, not the data; run `git lfs pull`"),
    _foreign("a DVC pointer under the data's name", _DVC, "a DVC pointer, not the data; run `dvc pull` and name the file itself"),
    _foreign("UTF-16", table().decode().encode("utf-16"), f"text in UTF-16; save it as UTF-8, or {_AGAIN}"),
    _foreign("UTF-16 without a mark", table().decode().encode("utf-16-le"), _BINARY),
    _foreign("UTF-32", table().decode().encode("utf-32"), f"text in UTF-16; save it as UTF-8, or {_AGAIN}"),
    _foreign("zeros", bytes(1 << 20), _BINARY),
    _foreign("a 7-Zip archive", b"7z\xbc\xaf\x27\x1c" + bytes(99), "packed with 7-Zip, which is not supported; unpack it first"),
    _foreign("a RAR archive", b"Rar!\x1a\x07" + bytes(99), "packed with RAR, which is not supported; unpack it first"),
    _foreign("a Zstandard file", b"(\xb5/\xfd" + bytes(99), "packed with Zstandard, which is not supported; unpack it first"),
    _foreign("a pickle", pickle.dumps({"pixels": list(range(9))}), f"a pickle, {_NOT_CSV}"),
    _foreign("a pickle of protocol 0", pickle.dumps({"pixels": [9]}, 0), f"a pickle, {_NOT_CSV}"),
    _foreign("JSON", json.dumps([{"emotion": 0, "pixels": pixels()}]), "JSON, not a CSV file; convert it: `python -c 'import pandas; pandas.read_json(\"fer2013.csv\").to_csv(\"fer2013.csv.csv\", index=False)'`"),
    _foreign("JSON lines", '{"emotion": 0, "pixels": "1 2"}\n' * 2, "JSON lines, not a CSV file; convert it: `python -c 'import pandas; pandas.read_json(\"fer2013.csv\", lines=True)...'`"),
    Case("Parquet", put(b"PAR1\x15" + bytes(99), "faces.parquet"), "faces.parquet: a Parquet file, not a CSV file; convert it: `pip install pyarrow` and `python -c 'import pandas; pandas.read_parquet(\"faces.parquet\").to_csv(\"faces.parquet.csv\", index=False)'`", source="faces.parquet"),
    _foreign("Feather", b"ARROW1\0\0" + bytes(99), "a Feather or Arrow file, not a CSV file; convert it: ..."),
    _foreign("an Arrow stream", b"\xff\xff\xff\xff\x10\1\0\0" + bytes(99), f"an Arrow stream, {_NOT_CSV}"),
    _foreign("encrypted Parquet", b"PARE" + bytes(99), f"an encrypted Parquet file, {_NOT_CSV}"),
    _foreign("JSON lines of mappings", '{"image": {"bytes": "iVBO"}, "label": 2}\n' * 3, "JSON lines, not a CSV file; convert it: ..."),
    _foreign("JSON over some lines", '{\n "emotion": 2,\n "pixels": "70 80"\n}\n', "JSON, not a CSV file; convert it: `python -c 'import pandas; pandas.read_json(\"fer2013.csv\").to_csv(...)'`"),
    _foreign("a pickle that joblib packed", zlib.compress(pickle.dumps([0])), "packed with zlib, which is not supported; unpack it first"),
    _foreign("an array in the oldest pickle", pickle.dumps(np.zeros(9), 0), f"a pickle, {_NOT_CSV}"),
    _foreign("a MATLAB file of version 7.3", b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512) + b"\x89HDF\r\n\x1a\n", f"a MATLAB file, {_NOT_CSV}"),
    _foreign("HDF5 after a header", bytes(512) + b"\x89HDF\r\n\x1a\n" + bytes(99), f"an HDF5 file, {_NOT_CSV}"),
    _foreign("an R file", gzip.compress(b"RDX3\nX\n" + bytes(99)), f"an R file, {_NOT_CSV}"),
    _foreign("a Stata file", "<stata_dta><header>", f"a Stata file, {_NOT_CSV}"),
    _foreign("an SPSS file", b"$FL2@(#) SPSS DATA FILE" + bytes(99), f"an SPSS file, {_NOT_CSV}"),
    _foreign("a SAS file", bytes(12) + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf" + bytes(99), f"a SAS file, {_NOT_CSV}"),
    _foreign("a NetCDF file", b"CDF\1" + bytes(99), f"a NetCDF file, {_NOT_CSV}"),
    _foreign("a PGM as the source", b"P5\n48 48\n255\n" + bytes(2304), "an image (PNM), not a CSV file; ..."),
    _foreign("a HEIC as the source", b"\0\0\0\x1cftypheix" + bytes(99), "an image (HEIF), not a CSV file; ..."),
    _foreign("HDF5", b"\x89HDF\r\n\x1a\n" + bytes(99), f"an HDF5 file, {_NOT_CSV}"),
    _foreign("an SQLite database", b"SQLite format 3\0" + bytes(99), f"an SQLite database, {_NOT_CSV}"),
    _foreign("an old workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), f"an old Excel workbook (.xls) or other Office document, {_NOT_CSV}"),
    _foreign("a NumPy array", b"\x93NUMPY\1\0" + bytes(99), f"a NumPy array (.npy), {_NOT_CSV}"),
    _foreign("a MATLAB file", b"MATLAB 5.0 MAT-file, Platform: GLNXA64", f"a MATLAB file, {_NOT_CSV}"),
    _foreign("a PDF document", b"%PDF-1.4\n%\xe2\xe3", f"a PDF document, {_NOT_CSV}"),
    _foreign("a JPEG as the source", b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(99), "an image (JPEG), not a CSV file; to read images, set data.source to the folder that holds train/CLASS/*.jpg and test/CLASS/*.jpg"),
    _foreign("a PNG as the source", b"\x89PNG\r\n\x1a\n" + bytes(99), "an image (PNG), not a CSV file; ..."),
    Case("an error message of a proxy", put("Access denied\n"), _OTHER_COLUMN),
]  # fmt: skip

MISSING = [
    Case("a missing file", _nothing,
         "fer2013.csv: no such file or folder; set data.source, or get it with `unmask fetch`"),
    Case("a link to nothing", _link("gone.csv"),
         "fer2013.csv: no such file or folder; set data.source, or get it with `unmask fetch`"),
    Case("a .dvc pointer without its file", put(_DVC, "fer2013.csv.dvc"),
         "fer2013.csv: only its DVC pointer is here; run `dvc pull`"),
    Case("a .dvc pointer as the source", put(_DVC, "fer2013.csv.dvc"),
         "fer2013.csv.dvc: a DVC pointer, not the data; run `dvc pull` and set data.source to fer2013.csv",
         source="fer2013.csv.dvc"),
    Case("a named pipe", _pipe, "fer2013.csv: neither a file nor a folder; set data.source to one"),
    Case("a device", _link("/dev/zero"),
         "fer2013.csv: neither a file nor a folder; set data.source to one"),
    Case("a file without read permission", _locked,
         "fer2013.csv: Permission denied; fix this and run again"),
    Case("a name of 300 letters", _nothing, f"{'f' * 300}: File name too long; fix this and run again",
         source="f" * 300),
    Case("a name with a NUL byte", _nothing,
         "fer?2013.csv: no such file or folder; set data.source, or get it with `unmask fetch`",
         source="fer\0002013.csv"),
    Case("a name that Hydra would interpolate", put(table(), "a${b}.csv"),
         "a${b}.csv: a name with ${, which `dvc exp run -S` replaces; rename it", source="a${b}.csv"),
    Case("a name with the key of a parameter", put(table(), "a${data.labels}.csv"),
         "a${data.labels}.csv: a name with ${, which `dvc exp run -S` replaces; rename it", source="a${data.labels}.csv"),
    Case("a folder that Hydra would interpolate", put(table(), "d${x/fer2013.csv"),
         "d${x/fer2013.csv: a name with ${, which `dvc exp run -S` replaces; rename it", source="d${x/fer2013.csv"),
    Case("a name that YAML cannot hold", put(table(), "fer\x852013.csv"),
         "fer?2013.csv: a name that DVC cannot record; rename it", source="fer\x852013.csv"),
]  # fmt: skip

FACELESS = [
    _only("only the header", [], _no_faces("train")),
    _only("no training rows", rows()[7:], _no_faces("train")),
    _only("no validation rows", rows()[:7] + rows()[14:], _no_faces("validation")),
    _only("no test rows", rows()[:14], _no_faces("test")),
    _only("a class without a training row", rows()[1:], "no training face of the class angry; use a source with all seven classes"),
]  # fmt: skip

_TRAIN, _TEST = pair()
_MOVE = "move it elsewhere; validation faces are val.csv"


def _beside(name: str, files: dict[str, str | bytes], message: str) -> Case:
    """A folder with `train.csv`, `test.csv` and these files."""

    def make(folder: Path) -> None:
        for file, content in ({"train.csv": _TRAIN, "test.csv": _TEST} | files).items():
            put(content, f"d/{file}")(folder)

    return Case(name, make, message, source="d")


def _unread(name: str, file: str, content: str | bytes = b"x") -> Case:
    return _beside(
        name,
        {file: content},
        f"d: holds {file.partition('/')[0]}, which would not be read beside train.csv, test.csv; {_MOVE}",
    )


PAIRS = [
    Case("a test.csv without labels",
         lambda folder: (put(_TRAIN, "d/train.csv")(folder), put(f"pixels\n{pixels()}\n", "d/test.csv")(folder)),
         "d/test.csv:1: pixels without labels; take icml_face_data.csv or fer2013.csv from the same competition, which hold all labels",
         source="d"),
    Case("a train.csv with the column Usage",
         lambda folder: (put(table(), "d/train.csv")(folder), put(_TEST, "d/test.csv")(folder)),
         "d/train.csv:1: column Usage in a file of one split; name this file itself as the source", source="d"),
    Case("a train.csv without test.csv", put(_TRAIN, "d/train.csv"),
         "d: no known layout in this folder (it holds train.csv); it needs fer2013.csv, icml_face_data.csv, train.csv and test.csv, or images as train/CLASS/*.jpg and test/CLASS/*.jpg",
         source="d"),
    Case("two whole files in a folder",
         lambda folder: (put(table(), "d/fer2013.csv")(folder), put(table(), "d/icml_face_data.csv")(folder)),
         "d: several sources (fer2013.csv, icml_face_data.csv); set data.source to one", source="d"),
    Case("an empty folder", lambda folder: (folder / "d").mkdir(),
         "d: no known layout in this folder (it holds nothing); it needs fer2013.csv, ...", source="d"),
    Case("a folder of notes", put("notes", "d/notes.txt"),
         "d: no known layout in this folder (it holds notes.txt); it needs fer2013.csv, ...", source="d"),
]  # fmt: skip

BESIDE = [
    _unread("a third CSV file of another name", "extra.csv", _TEST),
    _unread("a third CSV file cut off while it was fetched", "val.csv.part", _TEST[:999]),
    _unread("a parquet file beside a pair", "validation.parquet"),
    _unread("an image beside a pair", "0001.png"),
    _unread("a folder beside a pair", "more/val.csv", _TEST),
    _unread("only the DVC pointer of a third CSV file", "val.csv.dvc", _DVC),
    _unread("a name of a leftover inside another name", "Thumbs.db.csv"),
    _beside("two files for validation", {"val.csv": _TEST, "public_test.csv.gz": b"x"}, "d: public_test.csv.gz, val.csv are the same split; keep one of them"),
    _beside("the same split compressed", {"train.csv.gz": b"x"}, "d: train.csv, train.csv.gz are the same split; keep one of them"),
    _beside("a val.csv with a mistake", {"val.csv": _TEST.replace(b"6,", b"9,", 1)}, "d/val.csv:3: emotion is '9', not 0, 1, ... or 6; get the file again, or fix this line"),
    _beside("a val.csv with the column Usage", {"val.csv": table()}, "d/val.csv:1: column Usage in a file of one split; name this file itself as the source"),
    _beside("a val.csv without faces", {"val.csv": "emotion,pixels\n"}, f"d: {_no_faces('validation')}"),
    _beside("a pair beside a whole file", {"fer2013.csv": table()}, "d: holds test.csv, train.csv, which would not be read beside fer2013.csv; set data.source to d/fer2013.csv"),
    _beside("guesses beside a whole file", {"icml_face_data.csv": table(), "submission.csv": "1,2\n"}, "d: holds submission.csv, which would not be read beside icml_face_data.csv; set data.source to d/icml_face_data.csv"),
    _beside("a note in a folder whose name is not UTF-8", {os.fsdecode(b"caf\xe9.txt"): b"x"}, "d/caf?.txt: a name that is not UTF-8, which DVC cannot record; rename it"),
]  # fmt: skip

CASES = FOREIGN + MISSING + FACELESS + PAIRS + BESIDE

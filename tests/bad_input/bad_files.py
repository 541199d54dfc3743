"""Files that are not CSV at all, lack faces of some kind, or are missing."""

import json
import os
import pickle
from pathlib import Path

from cases import Case, put

from faces_csv import HEADER, pair, pixels, rows, table

_AGAIN = "get the file again, for instance with `unmask-fetch`"
_PAGE = "<!DOCTYPE html>\n<html><head><title>Log in to Kaggle</title></head></html>\n"
_LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 301072766\n"
_DVC = "outs:\n- md5: 22af\n  size: 301072766\n  path: fer2013.csv\n"
_BINARY = f"binary data or UTF-16 text, not a CSV file; {_AGAIN}"
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
    _foreign("a pickle", pickle.dumps({"pixels": list(range(9))}), _BINARY),
    Case("JSON", put(json.dumps([{"emotion": 0, "pixels": pixels()}])), "fer2013.csv:1: a quote that does not close in ..."),
    Case("an error message of a proxy", put("Access denied\n"), _OTHER_COLUMN),
]  # fmt: skip

MISSING = [
    Case("a missing file", _nothing,
         "fer2013.csv: no such file or folder; set data.source, or get it with `unmask-fetch`"),
    Case("a link to nothing", _link("gone.csv"),
         "fer2013.csv: no such file or folder; set data.source, or get it with `unmask-fetch`"),
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
         "fer?2013.csv: no such file or folder; set data.source, or get it with `unmask-fetch`",
         source="fer\0002013.csv"),
]  # fmt: skip

FACELESS = [
    _only("only the header", [], _no_faces("train")),
    _only("no training rows", rows()[7:], _no_faces("train")),
    _only("no validation rows", rows()[:7] + rows()[14:], _no_faces("validation")),
    _only("no test rows", rows()[:14], _no_faces("test")),
    _only("a class without a training row", rows()[1:], "no training face of the class angry; use a source with all seven classes"),
]  # fmt: skip

_TRAIN, _TEST = pair()

PAIRS = [
    Case("a test.csv without labels",
         lambda folder: (put(_TRAIN, "d/train.csv")(folder), put(f"pixels\n{pixels()}\n", "d/test.csv")(folder)),
         "d/test.csv:1: pixels without labels; take icml_face_data.csv or fer2013.csv from the same competition, which hold all labels",
         source="d"),
    Case("a train.csv with the column Usage",
         lambda folder: (put(table(), "d/train.csv")(folder), put(_TEST, "d/test.csv")(folder)),
         "d/train.csv:1: column Usage in one of a pair of files; name this file itself as the source", source="d"),
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

CASES = FOREIGN + MISSING + FACELESS + PAIRS

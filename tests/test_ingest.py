"""The ingest stage as DVC runs it, and the face set that it leaves."""

import csv
import hashlib
import json
import lzma
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import faces_csv
from faces_csv import DATA, HEADER, image, pair, row, rows, table
from unmask.core.faces import CLASSES, HIDDEN, FaceSet
from unmask.sources.ingest import ingest

REPOSITORY = Path(__file__).resolve().parents[1]
STAGE = REPOSITORY / "stages" / "ingest.py"
REAL = REPOSITORY.parent / "shared" / "data" / "fer2013.csv.xz"


def run_stage(folder, source):
    (folder / "params.yaml").write_text(
        f"data: {{source: {json.dumps(str(source))}, labels: fer2013, votes: none, "
        "validation_fraction: 0.3, seed: 1}\n"
    )
    return subprocess.run(
        [sys.executable, STAGE], cwd=folder, capture_output=True, text=True, timeout=100
    )


def test_stage_writes_the_face_set_whole(tmp_path):
    (tmp_path / "fer2013.csv").write_bytes(table())
    result = run_stage(tmp_path, "fer2013.csv")
    assert (result.returncode, result.stderr) == (0, "")
    names = {"images.npy", "labels.npy", "split.npy", "row.npy", "meta.json"}
    assert {path.name for path in (tmp_path / "data" / "ingested").iterdir()} == names
    faces = FaceSet.open(tmp_path / "data" / "ingested")
    np.testing.assert_array_equal(faces.images, [image(seed) for seed in range(21)])
    assert faces.labels.tolist() == list(range(7)) * 2 + [HIDDEN] * 7
    unsealed = faces.unsealed(tmp_path / "data" / "test_labels.npy")
    assert unsealed.labels.tolist() == list(range(7)) * 3
    assert faces.split.tolist() == [0] * 7 + [1] * 7 + [2] * 7
    assert faces.row.tolist() == list(range(2, 23))


def test_meta_tells_source_and_counts_and_is_the_same_every_time(tmp_path):
    (tmp_path / "fer2013.csv").write_bytes(table())
    metas = []
    for _ in range(2):
        assert run_stage(tmp_path, tmp_path / "fer2013.csv").returncode == 0
        metas.append((tmp_path / "data" / "ingested" / "meta.json").read_text())
    assert metas[0] == metas[1]
    each = dict.fromkeys(CLASSES, 1)
    assert json.loads(metas[0]) == {
        "classes": list(CLASSES),
        "source": "fer2013.csv",
        "source_sha256": hashlib.sha256(table()).hexdigest(),
        "synthetic": False,
        "labels": "fer2013",
        "votes_sha256": None,
        "rows": 21,
        "counts": {"train": each, "validation": each, "test": each},
        "sha256": json.loads(metas[0])["sha256"],
    }


def test_failing_stage_keeps_the_older_face_set(tmp_path):
    source = tmp_path / "fer2013.csv"
    source.write_bytes(table())
    assert run_stage(tmp_path, source).returncode == 0
    before = {p: p.read_bytes() for p in (tmp_path / "data").rglob("*") if p.is_file()}
    source.write_bytes(table()[:-5000])
    assert run_stage(tmp_path, source).returncode == 2
    assert before == {p: p.read_bytes() for p in (tmp_path / "data").rglob("*") if p.is_file()}


def test_class_may_be_missing_from_validation_and_test(tmp_path):
    path = tmp_path / "fer2013.csv"
    path.write_text("\n".join([HEADER, *rows()[:8], row(3, usage="PrivateTest")]))
    counts = ingest(path, DATA, tmp_path, tmp_path / "test_labels.npy")["counts"]
    assert counts["test"]["happy"] == 1


def test_checksum_of_a_folder_covers_names_and_contents_of_what_is_read(tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()

    def checksum(**files):
        for path in folder.iterdir():
            path.unlink()
        for name, content in files.items():
            (folder / name.replace("_", ".")).write_bytes(content)
        return ingest(folder, DATA, tmp_path, tmp_path / "test_labels.npy")["source_sha256"]

    train, test = pair(train=60, test=60)
    first = checksum(train_csv=train, test_csv=test)
    assert first == checksum(train_csv=train, test_csv=test, notes_txt=b"not read")
    assert first != checksum(train_csv=train, test_csv=test + b"\n")
    assert first != checksum(train_csv=test, test_csv=train + b"\n")


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_file(), reason=f"needs FER2013 at {REAL}")
def test_real_file_is_read_as_plain_python_reads_it(tmp_path):
    meta = ingest(REAL, DATA, tmp_path, tmp_path / "test_labels.npy")
    assert [sum(counts.values()) for counts in meta["counts"].values()] == [28709, 3589, 3589]
    faces = FaceSet.open(tmp_path).unsealed(tmp_path / "test_labels.npy")
    assert faces.row.tolist() == list(range(2, 35889))
    usages = dict(zip(faces_csv.USAGES, range(3), strict=True))
    with lzma.open(REAL, "rt", newline="") as file:
        for index, line in enumerate(csv.DictReader(file)):
            assert faces.labels[index] == int(line["emotion"])
            assert faces.split[index] == usages[line["Usage"]]
            if index % 100 == 0 or index > 35880:
                values = [int(value) for value in line["pixels"].split()]
                assert faces.images[index].ravel().tolist() == values

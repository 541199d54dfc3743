"""The stage `place`: faces as they came, or level and with the nose on the edge of the mask."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from unmask.core.faces import FaceBlock, FaceSet, FaceSetWriter
from unmask.core.files import read_json, write_json
from unmask.evaluation.predictions import predictions, write_predictions
from unmask.models.readers import source_of_faces
from unmask.photos.alignment import FaceMesh, Position, position, summary
from unmask.photos.placement import EYES, frame_by_nose, place
from unmask.photos.warp import cut, similarity

ROOT = Path(__file__).resolve().parents[2]
STAGE = ROOT / "stages" / "place.py"
TURNS = [(0, 0, 0), (25, 0, 0), (-20, 3, 2), (10, -3, -4), (-5, 0, 5), (0, 4, -3)]
"""By how many degrees a face is turned, and by how many pixels it is shifted."""

SPLIT = [0, 0, 0, 1, 1, 2, 0, 2]
NO_FACE = [6, 7]
META = {"source": "faces", "source_sha256": "0", "labels": "fer2013"}


@pytest.fixture(scope="module")
def faces(astronaut, landmarks):
    """Faces of one portrait as a careless cutter leaves them, and two pictures of nothing."""
    photo = Image.fromarray(astronaut).convert("L")
    middle = landmarks[[33, 263, 1], :2].mean(axis=0)
    turned = [
        cut(photo, similarity(2.9, np.radians(angle), (24 + x, 22 + y), middle), 48)
        for angle, x, y in TURNS
    ]
    noise = np.random.default_rng(1).integers(0, 256, (48, 48), dtype=np.uint8)
    return np.stack([*turned, np.full((48, 48), 90, np.uint8), noise])


def run_stage(folder, faces, placement, models=None):
    """Run the stage in `folder` on these faces."""
    ingested = folder / "data/ingested"
    ingested.mkdir(parents=True)
    labels = np.zeros(len(faces), np.uint8)
    with FaceSetWriter(ingested, folder / "data/test_labels.npy") as writer:
        writer.append(FaceBlock(faces, labels, np.uint8(SPLIT), np.arange(len(faces))))
    write_json(ingested / "meta.json", META)
    (folder / "params.yaml").write_text(f"placement: {placement}\n")
    environment = os.environ | ({"UNMASK_FACE_MODELS": str(models)} if models else {})
    return subprocess.run(
        [sys.executable, STAGE], cwd=folder, env=environment, capture_output=True, text=True,
        check=False, timeout=100,
    )  # fmt: skip


@pytest.fixture(scope="module", params=["landmarks", "eyes"])
def placed(request, faces, tmp_path_factory):
    """The working folder of a run that moved the faces, and how."""
    folder = tmp_path_factory.mktemp(request.param)
    result = run_stage(folder, faces, request.param)
    assert result.returncode == 0, result.stderr
    return folder, request.param


def test_by_rows_every_file_passes_on_as_it_is_and_no_face_model_is_needed(faces, tmp_path):
    result = run_stage(tmp_path, faces, "rows", models=tmp_path / "nowhere")
    assert (result.returncode, result.stderr) == (0, "")
    before, after = (
        {file.name: file.read_bytes() for file in (tmp_path / "data" / name).iterdir()}
        for name in ("ingested", "faces")
    )
    assert after == before
    assert read_json(tmp_path / "metrics/placement.json") == {"placement": "rows", "faces": 8}


def test_moved_faces_have_level_eyes_and_the_nose_on_the_edge(placed, landmarks, astronaut):
    folder, placement = placed
    images = FaceSet.open(folder / "data/faces").images
    find = FaceMesh()
    positions = [position(find(np.array(image)).landmarks) for image in images[: len(TURNS)]]
    np.testing.assert_allclose([one.tilt for one in positions], 0, atol=4)
    if placement == "eyes":
        eyes = [np.mean(one.eyes) for one in positions]
        np.testing.assert_allclose(eyes, EYES[1], atol=1)
    else:
        np.testing.assert_allclose([one.nose for one in positions], 24, atol=1)
    # What the mesh says of a small picture, checked against what it says of the large one.
    eyes = np.stack([landmarks[[*eye]].mean(axis=0) for eye in ((33, 133), (362, 263))])
    nose = landmarks[[168, 1], :2].mean(axis=0)
    to_photo = frame_by_nose(eyes, float(np.linalg.norm(eyes[1] - eyes[0])), nose)
    expected = place(Image.fromarray(astronaut), to_photo)
    for image in images[: len(TURNS)]:
        assert np.corrcoef(image.ravel(), expected.ravel())[0, 1] > 0.8


def test_what_has_no_face_stays_as_it_was_and_is_counted(placed, faces):
    folder, placement = placed
    images = FaceSet.open(folder / "data/faces").images
    np.testing.assert_array_equal(images[NO_FACE], faces[NO_FACE])
    figures = read_json(folder / "metrics/placement.json")
    assert figures["moved"] == figures["found"] == {"train": 3, "validation": 2, "test": 1}
    assert (figures["placement"], figures["faces"]) == (placement, 8)
    before, after = figures["before"], figures["after"]
    assert before["faces"] == after["faces"] == len(TURNS)
    assert before["eyes_tilt_standard_deviation"] > 10 > 4 > after["eyes_tilt_standard_deviation"]
    assert before["nose_row_standard_deviation"] > after["nose_row_standard_deviation"]


def test_labels_pass_on_and_results_of_rows_are_not_taken_for_these(placed, monkeypatch):
    folder, placement = placed
    monkeypatch.chdir(folder)
    for name in ("labels", "split", "row"):
        files = [folder / f"data/{part}/{name}.npy" for part in ("ingested", "faces")]
        assert files[0].read_bytes() == files[1].read_bytes()
    assert read_json("data/faces/meta.json") == {**META, "placement": placement}
    assert source_of_faces() == {**META, "placement": placement}  # which models record


@pytest.mark.parametrize(
    ("placement", "words"),
    [
        ("landmarks", ["short_range.tflite: ", "run `unmask fetch face-models`"]),
        ("nose", ["params.yaml: placement: ", "'rows', 'landmarks' or 'eyes'"]),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(faces, tmp_path, placement, words):
    result = run_stage(tmp_path, faces, placement, models=tmp_path / "nowhere")
    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert all(word in line for word in words)
    assert {path.name for path in (tmp_path / "data").iterdir()} == {"ingested", "test_labels.npy"}
    assert not (tmp_path / "metrics").exists()


@pytest.mark.parametrize(("across", "down"), [(200, 0), (-200, 0), (0, 200), (-150, -150)])
def test_a_face_beyond_the_picture_is_filled_with_its_border(across, down):
    picture = np.full((60, 80), 128, np.uint8)
    picture[:, 0], picture[:, -1], picture[0], picture[-1] = 10, 20, 30, 40
    to_picture = np.array([[1.0, 0.0, across], [0.0, 1.0, down]])
    face = place(Image.fromarray(picture), to_picture)
    assert face.shape == (48, 48)
    border = np.pad(picture, 400, mode="edge")[400 + down :, 400 + across :][:48, :48]
    assert np.array_equal(face, border)


def test_shares_are_of_faces_whose_eyes_are_whole_and_whose_mouth_is_hidden():
    faces = [
        Position(nose=24, tilt=0, eyes=(16, 20), mouth=30),
        Position(nose=28, tilt=11, eyes=(20, 25), mouth=36),  # an eye is cut
        Position(nose=17, tilt=-20, eyes=(9, 13), mouth=23),  # the mouth shows
        Position(nose=31, tilt=9, eyes=(25, 28), mouth=40),  # both eyes are hidden
    ]
    found = summary(faces)
    assert found["eyes_whole_and_mouth_hidden"] == found["an_eye_cut"] == 0.25
    assert found["mouth_not_hidden"] == 0.25
    assert found["eyes_tilted_over_10_degrees"] == 0.5
    assert (found["faces"], found["nose_row_mean"]) == (4, 25)


@pytest.fixture
def benchmark(monkeypatch):
    """The benchmark of placement."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("placement")


def test_the_benchmark_shows_where_faces_lie_and_draws_them_outside_of_the_repository(
    benchmark, placed, tmp_path, capsys
):
    folder, _ = placed
    sheet = tmp_path / "sheet.png"
    found = benchmark.positions(folder / "data/ingested", 8, sheet)
    assert (found["looked_at"], found["moved"]) == (4, 3)  # of validation and test
    text = capsys.readouterr().out
    assert "| faces found | 3 | 3 | 3 |" in text
    assert Image.open(sheet).size == (3 * 3 * 48, 3 * 3 * 48)
    with pytest.raises(SystemExit, match="within the repository"):
        benchmark.positions(folder / "data/ingested", 8, ROOT / "sheet.png")
    assert not (ROOT / "sheet.png").exists()


def test_the_benchmark_pairs_the_readers_of_three_placements(benchmark, tmp_path, capsys):
    labels = np.arange(70, dtype=np.uint8) % 7
    folders = [tmp_path / name for name in ("rows", "landmarks", "eyes")]
    for right, folder in zip((30, 50, 50), folders, strict=True):
        answers = np.where(np.arange(70) < right, labels, (labels + 1) % 7)
        table = predictions(np.arange(70), labels, np.eye(7, dtype=np.float32)[answers])
        for name in ("baseline", "ceiling"):
            for split in ("validation", "test"):
                file = folder / f"data/predictions/{name}/{split}.csv"
                file.parent.mkdir(parents=True, exist_ok=True)
                write_predictions(file, table)
    found = benchmark.readers(folders)
    gains = found["baseline, test"]["gains"]
    assert gains["landmarks over rows"]["accuracy"] == pytest.approx(20 / 70)
    assert gains["landmarks over rows"]["holm_p"] < 0.001
    assert gains["landmarks over eyes"]["accuracy"] == 0
    assert gains["landmarks over eyes"]["holm_p"] == 1
    assert capsys.readouterr().out.count("+28.6") == 2 * 4

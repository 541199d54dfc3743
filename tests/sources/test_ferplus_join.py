"""FER+: whose votes a face gets, by its name or by its row, and which are refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from faces_csv import DATA
from unmask.core.errors import UserError
from unmask.core.faces import CLASSES, FaceBlock, FaceSet
from unmask.params.data import Data
from unmask.sources import detect
from unmask.sources.columns import COLUMNS, EMOTIONS, OTHERS
from unmask.sources.ferplus import relabelled
from unmask.sources.ingest import ingest
from unmask.sources.votes import USAGES, majority

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
SPLIT = np.repeat(np.arange(3, dtype=np.uint8), [600, 100, 100])
RANDOM = np.random.default_rng(0)
OWN = RANDOM.integers(0, 7, len(SPLIT))
VOTED = np.where(RANDOM.random(len(OWN)) < 0.7, OWN, RANDOM.integers(0, 7, len(OWN)))
ROWS = np.arange(len(OWN))
NAMES = [f"fer{row + row // 50:07}.png" for row in ROWS]  # numbers that are not those of the rows


def votes_file(folder, rows=ROWS, names=NAMES):
    """Write the votes on 800 faces, seven or eight of ten for one class, row by row of `rows`."""
    counts = np.zeros((len(rows), len(COLUMNS) - 2), dtype=int)
    counts[np.arange(len(rows)), [COLUMNS.index(EMOTIONS[v]) - 2 for v in VOTED[rows]]] = 7
    counts[np.arange(len(rows)), -1] = rows % 2 + 2
    table = pd.DataFrame(counts, columns=COLUMNS[2:])
    table.insert(0, "Usage", [list(USAGES)[split] for split in SPLIT[rows]])
    table.insert(1, "Image name", [names[row] for row in rows])
    table.to_csv(folder / "votes.csv", index=False)
    return folder / "votes.csv"


def relabel(file, order, names=None, own=OWN, split=SPLIT):
    """Relabel these faces, in this order and in blocks; return their labels and their rows."""

    def blocks():
        for part in np.array_split(order, 5):
            yield FaceBlock(
                np.zeros((len(part), 48, 48), np.uint8),
                own[part].astype(np.uint8),
                split[part],
                part,
                names=names and [names[row] for row in part],
            )

    faces = list(relabelled(blocks(), file))
    return [np.concatenate([getattr(block, key) for block in faces]) for key in ("labels", "row")]


def by_class():
    """All faces as a folder of images has them: by split, class and name."""
    return np.lexsort([ROWS, OWN, SPLIT])


def moved(row, to):
    rows = ROWS.tolist()
    rows.insert(to, rows.pop(row))
    return np.array(rows)


def within_splits(change):
    return np.concatenate([change(ROWS[split == SPLIT]) for split in range(3)])


ORDERS = {
    "by class": by_class(),
    "shuffled": within_splits(np.random.default_rng(1).permutation),
    "backwards": within_splits(np.flip),
    "only the test split shuffled": np.append(ROWS[:700], RANDOM.permutation(ROWS[700:])),
    "the first face last": within_splits(lambda rows: np.roll(rows, -1)),
    "a face moved": moved(400, 599),
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_faces_in_another_order_than_the_votes_are_refused(tmp_path, order):
    with pytest.raises(UserError) as error:
        relabel(votes_file(tmp_path), order)
    assert "not the votes on data.source: they do not fit its labels in " in str(error.value)
    with pytest.raises(UserError, match="do not fit"):
        relabel(votes_file(tmp_path, order), ROWS)
    labels, rows = relabel(votes_file(tmp_path, order), order)  # both in the other order
    np.testing.assert_array_equal(labels, VOTED[rows])


SPELLINGS = {
    "as in FER+": NAMES,
    "with folders": [f"train/happy/{name}" for name in NAMES],
    "with a backslash": [f"d\\{name}" for name in NAMES],
    "as JPEG": [name.replace("png", "jpeg") for name in NAMES],
    "in capitals": [name.upper() for name in NAMES],
    "without suffix": [name.removesuffix(".png") for name in NAMES],
    "numbers alone": [f"{int(name[3:10])}.bmp" for name in NAMES],
    "another prefix": [f"fer2013_{name[3:10]}.png" for name in NAMES],
}


HEADERS = {
    "in lower case": str.lower,
    "with underscores": lambda name: name.replace(" ", "_"),
    "as another program writes them": lambda name: name.title().replace(" ", ""),
}


@pytest.mark.parametrize("spelt", HEADERS.values(), ids=HEADERS)
def test_columns_of_votes_in_another_order_and_spelling(tmp_path, spelt):
    file = votes_file(tmp_path)
    table = pd.read_csv(file).rename(columns=spelt)
    table[table.columns[::-1]].to_csv(file)  # which adds a column, of the rows
    for order, names in ((ROWS, None), (by_class(), NAMES)):
        labels, rows = relabel(file, order, names)
        np.testing.assert_array_equal(labels, VOTED[rows])


@pytest.mark.parametrize("names", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("order", [by_class(), ROWS[::-1], ROWS[::7]], ids=["class", "back", "few"])
def test_an_image_gets_the_votes_on_its_name_wherever_it_is(tmp_path, names, order):
    labels, rows = relabel(votes_file(tmp_path), order, names)
    np.testing.assert_array_equal(rows, order)
    np.testing.assert_array_equal(labels, VOTED[order])


def test_images_with_a_drawn_validation_split_or_other_splits_get_their_votes(tmp_path):
    split = np.random.default_rng(2).integers(0, 3, len(ROWS), dtype=np.uint8)
    labels, rows = relabel(votes_file(tmp_path), by_class(), NAMES, split=split)
    np.testing.assert_array_equal(labels, VOTED[rows])


def test_a_folder_of_images_gets_the_votes_on_their_names(tmp_path):
    rows = [*range(150), *range(700, 750)]
    for row in rows:
        split = "test" if row >= 700 else "train"
        file = tmp_path / "faces" / split / CLASSES[OWN[row]] / NAMES[row]
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((48, 48), row % 250, np.uint8)).save(file)
    votes = votes_file(tmp_path)
    values = {"source": "faces", "labels": "ferplus", "votes": str(votes), "seed": 1}
    data = Data.model_validate(values | {"validation_fraction": 0.3})
    (tmp_path / "out").mkdir()
    ingest(tmp_path / "faces", data, tmp_path / "out", tmp_path / "out/test.npy")
    faces = FaceSet.open(tmp_path / "out").unsealed(tmp_path / "out/test.npy")
    shown = np.where(faces.split == 2, 500, 0) + faces.images[:, 0, 0]  # which row the image is of
    np.testing.assert_array_equal(np.sort(shown), rows)
    np.testing.assert_array_equal(faces.labels, VOTED[shown])
    assert set(faces.split) == {0, 1, 2}


FEW = np.r_[0:60, 600:630, 700:730]


def csv_file(path, rows, names, column="Image name", usage=True):
    """Write the faces of these rows, each of one grey, with the names in a column."""
    lines = [f"emotion,{column},pixels{',Usage' * usage}"]
    for row in rows:
        fields = [OWN[row], names[row], " ".join([str(row % 250)] * 2304)]
        lines.append(",".join(map(str, [*fields, *[list(USAGES)[SPLIT[row]]] * usage])))
    path.write_text("\n".join([*lines, ""]))


def ingested(folder, source, labels="ferplus"):
    """Return the faces of a source with the votes in votes.csv, and which rows they are."""
    values = {"source": "s", "labels": labels, "votes": str(folder / "votes.csv"), "seed": 1}
    data = Data.model_validate(values | {"validation_fraction": 0.3})
    (folder / "out").mkdir()
    ingest(source, data, folder / "out", folder / "out/test.npy")
    faces = FaceSet.open(folder / "out").unsealed(folder / "out/test.npy")
    shown = faces.images[:, 0, 0].astype(int)  # 0 to 59, 100 to 129, and 200 to 229
    return faces, np.where(shown < 100, shown, shown + 500)


@pytest.mark.parametrize("column", ["Image name", "image_name", "FILENAME"])
@pytest.mark.parametrize("form", ["{}", '"train/{}"'])
def test_a_face_of_a_csv_file_gets_the_votes_on_its_name_wherever_it_is(tmp_path, column, form):
    order = np.random.default_rng(3).permutation(FEW)
    csv_file(tmp_path / "faces.csv", order, [form.format(name) for name in NAMES], column)
    votes_file(tmp_path)
    faces, rows = ingested(tmp_path, tmp_path / "faces.csv")
    np.testing.assert_array_equal(rows, order)
    np.testing.assert_array_equal(faces.labels, VOTED[order])


@pytest.mark.parametrize("column", ["row", "Index"])
@pytest.mark.parametrize("order", [ROWS[::-1], FEW[::-1]], ids=["back", "few"])
def test_a_face_of_a_csv_file_gets_the_votes_in_the_row_that_it_says(tmp_path, column, order):
    csv_file(tmp_path / "faces.csv", order, ROWS, column)
    faces = detect.find(tmp_path / "faces.csv").read(DATA)
    labels = [block.labels for block in relabelled(faces, votes_file(tmp_path))]
    np.testing.assert_array_equal(np.concatenate(labels), VOTED[order])


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        (ROWS + 1, "not fit its labels in the train split"),  # from 1
        (ROWS // 2, "no votes on row 364, or a face with this row came before; number"),
        (ROWS + 800, "no votes on row 1529, or"),
        ([f"{row}.0" for row in ROWS], "no votes on row 729.0, or"),
        ([""] * len(ROWS), "no votes on row '', or"),
    ],
)
def test_rows_that_are_not_those_of_the_votes_are_refused(tmp_path, numbers, said):
    csv_file(tmp_path / "faces.csv", FEW[::-1], numbers, "row")
    faces = detect.find(tmp_path / "faces.csv").read(DATA)
    with pytest.raises(UserError) as error:
        list(relabelled(faces, votes_file(tmp_path)))
    assert said in str(error.value)


def test_without_names_the_same_file_is_refused(tmp_path):
    csv_file(tmp_path / "faces.csv", FEW[::-1], NAMES)
    lines = (tmp_path / "faces.csv").read_text().split("\n")
    bare = [",".join(line.split(",")[:1] + line.split(",")[2:]) for line in lines]
    (tmp_path / "faces.csv").write_text("\n".join(bare))
    votes_file(tmp_path)
    with pytest.raises(UserError, match="not the votes on data"):
        ingested(tmp_path, tmp_path / "faces.csv")


def test_split_files_are_joined_by_name_if_all_have_names(tmp_path):
    votes_file(tmp_path)
    faces = tmp_path / "faces"
    faces.mkdir()
    csv_file(faces / "train.csv", FEW[:60][::-1], NAMES, usage=False)
    csv_file(faces / "test.csv", FEW[90:], NAMES, usage=False)
    found, rows = ingested(tmp_path, faces)
    np.testing.assert_array_equal(found.labels, VOTED[rows])
    text = (faces / "test.csv").read_text()
    for row in FEW[90:]:
        text = text.replace(f"{NAMES[row]},", "")
    (faces / "test.csv").write_text(text.replace("Image name,", ""))
    with pytest.raises(UserError, match=r"not all CSV files of .* name their faces alike; "):
        list(relabelled(detect.find(faces).read(DATA), tmp_path / "votes.csv"))


def test_a_few_faces_without_a_name_have_no_votes_and_many_are_refused(tmp_path):
    few = [*NAMES[:200], "", "", *NAMES[202:]]
    labels, rows = relabel(votes_file(tmp_path), ROWS, few)
    np.testing.assert_array_equal(rows, np.delete(ROWS, [200, 201]))
    np.testing.assert_array_equal(labels, VOTED[rows])
    with pytest.raises(UserError, match=r"100 of 800 faces have no name, .*; give"):
        relabel(votes_file(tmp_path), ROWS, [*[""] * 100, *NAMES[100:]])


def changed(row, name):
    return [*NAMES[:row], name, *NAMES[row + 1 :]]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (changed(300, "cat.png"), "votes.csv: no votes on cat.png; rename"),
        (changed(0, "cat.png"), "votes.csv: no votes on cat.png; rename"),
        (changed(300, "fer9999999.png"), "votes.csv: no votes on fer9999999.png; rename"),
        (changed(300, "extra_25.png"), "votes.csv: no votes on extra_25.png; rename"),
        (changed(300, "fer0000306 (1).png"), "votes.csv: no votes on fer0000306 (1).png; rename"),
        (changed(300, f"b/{NAMES[299]}"), f"b/{NAMES[299]}: the same Image name in FER+ as fer"),
        (changed(300, f"{NAMES[299][:-4]}.jpg"), "jpg: the same Image name in FER+ as fer"),
        ([f"{row % 10:07}.png" for row in ROWS], "0000000.png: the same Image name in FER+ as"),
        ([f"im{row}.png" for row in ROWS], "votes.csv: no votes on im50.png; rename"),
        ([f"Training_{7**9 + row}.jpg" for row in ROWS], "no votes on Training_40353607.jpg; "),
        (["a.png"] * len(ROWS), "votes.csv: no votes on a.png; rename"),
    ],
)
def test_images_whose_names_do_not_fit_the_votes_are_refused(tmp_path, names, said):
    with pytest.raises(UserError) as error:
        relabel(votes_file(tmp_path), ROWS, names)
    assert said in str(error.value)


def test_images_numbered_otherwise_than_in_the_votes_are_refused(tmp_path):
    numbers = [int(name[3:10]) for name in NAMES]
    order = np.array([row for row in by_class() if row in set(numbers)])
    for name in ("{}.png", "fer{:07}.png"):  # by row, and under the names of other images
        with pytest.raises(UserError, match=r"not fit its labels in the .* split .*; rename"):
            relabel(votes_file(tmp_path), order, [name.format(row) for row in ROWS])


def test_votes_without_names_do_not_label_images(tmp_path):
    for empty in ("", "  "):
        with pytest.raises(UserError, match="no value in the column Image name; get"):
            relabel(votes_file(tmp_path, names=[empty] * len(ROWS)), ROWS, NAMES)
    labels, _ = relabel(votes_file(tmp_path, names=[""] * len(ROWS)), ROWS)
    np.testing.assert_array_equal(labels, VOTED)  # of a CSV file, which has none either


def test_a_name_that_two_rows_of_votes_share_has_a_majority_only_if_they_agree(tmp_path):
    one, two = np.flatnonzero((VOTED == 3) & (ROWS % 2 == 0))[:2]  # the same votes
    other = np.flatnonzero(VOTED == 4)[0]
    names = changed(two, NAMES[one])
    labels, rows = relabel(votes_file(tmp_path, names=names), ROWS, names)
    np.testing.assert_array_equal(rows, ROWS)
    np.testing.assert_array_equal(labels, VOTED)
    names = changed(other, NAMES[one])
    labels, rows = relabel(votes_file(tmp_path, names=names), ROWS, names)
    assert {one, other}.isdisjoint(rows)
    np.testing.assert_array_equal(labels, VOTED[rows])
    with pytest.raises(UserError, match="different votes on the same Image name 0; get"):
        relabel(votes_file(tmp_path, names=[f"{row % 100}.png" for row in ROWS]), ROWS, NAMES)


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason=f"needs FER+ at {SHARED}")
def test_the_names_of_the_real_votes_find_their_rows():
    votes = pd.read_csv(SHARED / "ferplus.csv")
    expected, _ = majority(votes[[*EMOTIONS, *OTHERS]].to_numpy())
    named = votes.index[votes["Image name"].notna()].to_numpy()[::-1]
    names, split = votes["Image name"].tolist(), votes["Usage"].map(USAGES).to_numpy(np.uint8)
    own = np.maximum(expected, 0)
    labels, rows = relabel(SHARED / "ferplus.csv", named, names, own, split)
    assert len(labels) > 31_000
    np.testing.assert_array_equal(labels, expected[rows])

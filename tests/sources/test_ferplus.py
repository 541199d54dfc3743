"""FER+: labels by the votes of ten annotators, and what becomes of faces without one."""

import hashlib
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd
import pytest

from unmask.core.errors import UserError
from unmask.core.faces import CLASSES, SIZE, FaceSet
from unmask.params.data import Data
from unmask.sample import synthetic
from unmask.sample.synthetic import draw_splits, write_csv, write_votes
from unmask.sources.columns import COLUMNS, EMOTIONS
from unmask.sources.ingest import ingest
from unmask.sources.votes import majority

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
COUNTS = {"train": 40, "validation": 14, "test": 14}


@pytest.fixture(scope="module")
def splits():
    """A small sample."""
    return draw_splits(COUNTS, 1)


@pytest.fixture
def sample(splits, tmp_path):
    """A folder with that sample and the votes on it."""
    write_csv(tmp_path / "sample.csv", splits)
    write_votes(tmp_path / "votes.csv", splits)
    return tmp_path


def read(folder, labels="ferplus", source="sample.csv"):
    values = {"source": source, "labels": labels, "votes": str(folder / "votes.csv")}
    data = Data.model_validate(values | {"validation_fraction": 0.1, "seed": 1})
    faces = Path(mkdtemp(dir=folder))
    meta = ingest(folder / source, data, faces, faces / "test_labels.npy")
    return meta, FaceSet.open(faces).unsealed(faces / "test_labels.npy")


def table(folder):
    return pd.read_csv(folder / "votes.csv")


def write(folder, votes):
    votes.to_csv(folder / "votes.csv", index=False)


@pytest.mark.parametrize(
    ("votes", "label"),
    [
        ([0, 0, 0, 8, 0, 0, 2, 0, 0, 0], 3),
        ([0, 0, 0, 5, 0, 0, 5, 0, 0, 0], -1),  # half is no majority
        ([1, 1, 1, 4, 1, 0, 2, 0, 0, 0], 3),  # votes of one annotator each do not count
        ([0, 0, 0, 2, 0, 0, 1, 7, 0, 0], -1),  # contempt
        ([0, 0, 0, 2, 0, 0, 2, 0, 6, 0], -1),  # unknown
        ([0, 0, 0, 1, 0, 0, 0, 0, 0, 9], -1),  # not a face
        ([1, 1, 1, 1, 1, 1, 1, 1, 1, 1], -1),
    ],
)
def test_a_label_takes_more_than_half_of_the_votes_that_count(votes, label):
    (found,), (soft_labels,) = majority(np.array([votes]))
    assert found == label
    counted = np.where(np.array(votes[:7]) > 1, votes[:7], 0)
    np.testing.assert_allclose(soft_labels, counted / max(1, counted.sum()))


def test_faces_get_the_label_of_the_majority_or_leave(sample):
    _, given = read(sample, labels="fer2013")
    meta, faces = read(sample)
    votes = table(sample)[list(EMOTIONS)].to_numpy()
    counted = np.where(votes > 1, votes, 0)
    clear = 2 * counted.max(axis=1) > counted.sum(axis=1)
    assert 0 < meta["rows"] == clear.sum() < len(given)
    np.testing.assert_array_equal(faces.labels, votes.argmax(axis=1)[clear])
    np.testing.assert_array_equal(faces.row, given.row[clear])
    np.testing.assert_array_equal(faces.images, given.images[clear])
    assert faces.soft_labels is None
    file = (sample / "votes.csv").read_bytes()
    assert (meta["labels"], meta["votes_sha256"]) == ("ferplus", hashlib.sha256(file).hexdigest())


def test_shares_are_kept_where_they_are_to_be_learned(sample):
    _, faces = read(sample, labels="ferplus_soft")
    learned = faces.split != 2
    np.testing.assert_allclose(faces.soft_labels[learned].sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(faces.soft_labels[learned].argmax(axis=1), faces.labels[learned])
    assert not faces.soft_labels[~learned].any()  # sealed like the labels


def test_own_labels_stay_and_votes_are_learned_beside_them(sample):
    _, plain = read(sample, labels="fer2013")
    _, faces = read(sample, labels="fer2013_soft")
    np.testing.assert_array_equal(faces.labels, plain.labels)
    np.testing.assert_array_equal(faces.row, plain.row)
    learned = np.flatnonzero(faces.split != 2)
    np.testing.assert_allclose(faces.soft_labels[learned].sum(axis=1), 1, atol=1e-6)
    own = faces.soft_labels[learned, faces.labels[learned]]
    assert (own >= 0.5).all()  # half is the own label, the other half what others say
    assert 0.5 <= own.min() < own.max() == 1
    assert not faces.soft_labels[faces.split == 2].any()


def test_non_faces_leave(sample):
    _, before = read(sample)
    votes = table(sample)
    votes.loc[votes.index[:20], [*COLUMNS[2:]]] = [0] * 9 + [10]
    write(sample, votes)
    _, after = read(sample)
    np.testing.assert_array_equal(after.row, before.row[before.row >= 22])


def test_the_annotators_of_the_sample_agree_more_with_the_truth_than_chance(monkeypatch):
    blank = np.zeros((SIZE, SIZE), np.uint8)  # votes depend on what moves, not on how it looks
    monkeypatch.setattr(synthetic, "draw_face", lambda moves, random: blank)
    splits = draw_splits({"train": 350, "validation": 7, "test": 7}, 1)
    most = splits["train"].votes.argmax(axis=1)
    assert (splits["train"].votes.sum(axis=1) == 10).all()
    assert 0.8 < (most == splits["train"].labels).mean() < 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda v: v.iloc[:-1], "not the votes on data.source"),
        (lambda v: pd.concat([v, v.iloc[-1:]]), "not the votes on data.source"),
        (lambda v: v.iloc[::-1], "not the votes on data.source"),
        (lambda v: v.drop(columns="NF"), "no column NF"),
        (lambda v: v.astype(str).replace({"fear": {"0": "-1"}}), ":2: fear is '-1'"),
        (lambda v: v.replace({"Usage": {"Training": "Train"}}), ":2: Usage is 'Train'"),
    ],
)
def test_votes_at_fault_are_refused(sample, change, said):
    write(sample, change(table(sample)))
    with pytest.raises(UserError) as error:
        read(sample)
    assert said in str(error.value)
    assert "; " in str(error.value)


def test_votes_on_one_split_in_another_order_are_refused_even_if_they_are_few(sample):
    votes = table(sample)
    last = votes["Usage"] == "PrivateTest"
    votes[last] = votes[last].sort_values(list(EMOTIONS)).to_numpy()
    write(sample, votes)
    with pytest.raises(UserError, match=r"in the test split \(kappa -?0\.[012]"):
        read(sample)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe\x00\x00", "text in UTF-16; "),
        (b"", "empty; get fer2013new.csv"),
        *((f"{blank}\n".encode(), "empty; get fer2013new.csv") for blank in "\v\f\x1c\xa0\u2028"),
    ],
)
def test_binary_or_blank_votes_are_refused(sample, content, said):
    (sample / "votes.csv").write_bytes(content)
    with pytest.raises(UserError, match=f"votes.csv: {said}"):
        read(sample)


def test_missing_votes_or_a_folder_in_their_place_are_refused(sample):
    (sample / "votes.csv").unlink()
    with pytest.raises(UserError, match=r"votes\.csv: no file; "):
        read(sample)
    (sample / "votes.csv").mkdir()
    with pytest.raises(UserError, match=r"votes\.csv: no file; "):
        read(sample)


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason=f"needs FER2013 and FER+ at {SHARED}")
def test_the_real_votes_fit_the_real_faces(tmp_path):
    (tmp_path / "votes.csv").symlink_to(SHARED / "ferplus.csv")
    (tmp_path / "fer2013.csv.xz").symlink_to(SHARED / "fer2013.csv.xz")
    meta, faces = read(tmp_path, source="fer2013.csv.xz")
    votes = pd.read_csv(SHARED / "ferplus.csv")
    kept = faces.row - 2
    assert (votes["NF"].to_numpy()[kept] < 5).all()
    agreed = votes[list(EMOTIONS)].to_numpy()[kept].argmax(axis=1)
    np.testing.assert_array_equal(faces.labels, agreed)
    assert meta["rows"] == len(kept) > 30_000
    assert set(faces.labels) == set(range(len(CLASSES)))

"""Batches: gathered from memory-mapped arrays, or on the device that holds the rows."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from runs import EVERYTHING, run_classifier, run_reconstructor, same, settings

from unmask.models.batches import Batches, ResidentBatches, placed
from unmask.training import loop

CPU = torch.device("cpu")


@pytest.fixture
def batches():
    """Return batches of three of the rows 0 to 19, each of whose pixels is its row."""
    images = np.repeat(np.arange(20, dtype=np.uint8), 6).reshape(20, 2, 3)
    rows = np.array([19, 3, 4, 11, 0, 7, 16])
    return Batches({"face": images, "label": np.arange(20, dtype=np.uint8)}, rows, 3)


@pytest.fixture(params=["mapped", "resident"])
def either(request, batches):
    return batches if request.param == "mapped" else ResidentBatches(batches, CPU)


def completed(batches, order, beside=None, part=lambda values: values, least=1):
    steps = batches.steps(order, beside or {}, part, batches.cuts(least))
    return [batches.complete(inputs) for inputs, _ in steps]


def test_a_batch_has_the_rows_of_its_positions(either):
    found = completed(either, np.array([6, 0, 1, 2, 3, 5, 4]))
    assert [batch["label"].tolist() for batch in found] == [[16, 19, 3], [4, 11, 7], [0]]
    for batch in found:
        assert batch["face"].shape[1:] == (1, 2, 3)
        assert batch["face"].dtype == torch.uint8
        assert torch.equal(batch["face"][:, 0, 0, 0], batch["label"])


def test_what_runs_beside_is_cut_like_the_rows_and_in_parts(either):
    order, beside = np.arange(7), {"draws": torch.arange(14.0).view(7, 2)}
    found = completed(either, order, beside, part=lambda values: values[1::2])
    assert [batch["label"].tolist() for batch in found] == [[3], [0], []]
    assert [batch["draws"].tolist() for batch in found] == [[[2.0, 3.0]], [[8.0, 9.0]], []]


def test_all_first_faces_come_before_all_second_ones(either):
    pairs = np.array([[0, 6], [1, 5], [2, 4], [3, 3], [4, 2], [5, 1], [6, 0]])
    found = completed(either, pairs)
    assert [batch["label"].tolist() for batch in found] == [
        [19, 3, 4, 16, 7, 0], [11, 0, 7, 11, 4, 3], [16, 19],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("least", "sizes"), [(1, [3, 3, 1]), (2, [3, 4]), (4, [3, 4]), (5, [7]), (9, [7])]
)
def test_a_rest_that_is_too_small_is_part_of_the_batch_before_it(either, least, sizes):
    found = completed(either, np.arange(7), least=least)
    assert [len(batch["label"]) for batch in found] == sizes
    assert torch.cat([batch["label"] for batch in found]).tolist() == [19, 3, 4, 11, 0, 7, 16]


@pytest.mark.parametrize("part", [lambda values: values, lambda values: values[1::2]])
@pytest.mark.parametrize("order", [np.arange(7)[::-1].copy(), np.arange(14).reshape(7, 2) % 7])
def test_batches_of_several_steps_are_the_same_faces(either, order, part):
    beside = {"draws": torch.arange(7.0).view(7, 1)}
    one_by_one = completed(either, order, beside, part)
    found = []
    for inputs, sizes in either.steps(order, beside, part, either.cuts(), at_once=2):
        batch = either.complete(inputs)
        labels = batch["label"].view(order.ndim, -1).split(sizes, dim=1)
        found += zip(labels, batch["draws"].split(sizes), strict=True)
    assert len(found) == len(one_by_one) == 3
    for (labels, draws), batch in zip(found, one_by_one, strict=True):
        assert torch.equal(labels.flatten(), batch["label"])
        assert torch.equal(draws, batch["draws"])


def test_an_order_is_drawn_from_seed_and_epoch(batches):
    orders = [batches.shuffled(seed, epoch).tolist() for seed, epoch in ((1, 0), (1, 0), (1, 1))]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == list(range(7))


@pytest.fixture
def resident(monkeypatch):
    """Return a function that has batches gathered from rows in memory from then on."""
    return lambda: monkeypatch.setattr(
        loop, "placed", lambda batches, device, say: ResidentBatches(batches, device)
    )


@pytest.mark.usefixtures("in_folder", "thin_encoders")
@pytest.mark.parametrize("name", ["ceiling", "unet", "vgg16"])
def test_where_the_rows_lie_changes_nothing(few_faces, resident, name):
    # What is never moved keeps the features of its frozen encoder.
    changes = {"flip": 0.0} if name == "vgg16" else EVERYTHING
    train = settings(epochs=2, batch_size=4, **changes)

    def run():
        if name == "ceiling":
            return run_classifier(few_faces, train)
        return run_reconstructor(name, few_faces, train)

    mapped = run()
    resident()
    assert same(run(), mapped)


@pytest.mark.usefixtures("in_folder")
@pytest.mark.parametrize("name", ["ceiling", "unet"])
def test_how_many_steps_are_made_at_once_changes_nothing(few_faces, monkeypatch, name):
    # The last batch of both splits is smaller, and counts for less.
    train, folder = settings(epochs=2, batch_size=5, **EVERYTHING), Path("models")

    def run():
        if name == "ceiling":
            weights = run_classifier(few_faces, train)
            training = folder / name / "training.json"
        else:
            weights = run_reconstructor(name, few_faces, train)
            training = folder / "reconstructors" / name / "training.json"
        return weights, json.loads(training.read_text())["history"]

    weights, history = run()
    monkeypatch.setitem(loop._FACES_AT_ONCE, "cpu", 80)
    again, same_history = run()
    assert same(again, weights)
    assert same_history == history


@pytest.mark.parametrize(("free", "fits"), [(7 * 7 * 4, True), (7 * 7 * 4 - 1, False)])
def test_rows_lie_on_a_gpu_where_they_fit(batches, monkeypatch, free, fits):
    assert batches.bytes == 7 * 7
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, 2**30))
    monkeypatch.setattr(ResidentBatches, "_copy", lambda self, array: torch.from_numpy(array))
    lines = []
    found = placed(batches, torch.device("cuda"), lines.append)
    assert isinstance(found, ResidentBatches) == fits
    assert len(lines) == (not fits)
    assert all("more than 25% of the GPU's free memory" in line for line in lines)


def test_rows_stay_mapped_on_the_processor(batches):
    assert placed(batches, CPU, print) is batches

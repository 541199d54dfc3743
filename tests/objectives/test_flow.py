"""The rectified flow: noise that belongs to a face, halves drawn from it, posteriors of them."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from runs import run_classifier, settings, train_entry, trained

import unmask
from unmask.classifiers.posterior_average import PosteriorAverage
from unmask.core.errors import UserError
from unmask.core.faces import TEST, FaceSet
from unmask.core.files import save_array
from unmask.core.mask import crop
from unmask.evaluation.predictions import predictions, read_predictions, write_predictions
from unmask.models.batches import to_unit
from unmask.models.folder import build, classifier_config, reconstructor_config, save_model
from unmask.reconstructors.flow import Flow

SETTINGS = {"width": 8, "steps": 3}
ENTRY = {"objective": {"name": "flow_matching"}, **SETTINGS}


def halves(count=200):
    return torch.from_numpy(
        np.random.default_rng(0).integers(0, 256, (count, 1, 24, 48)).astype(np.float32) / 255
    )


def test_noise_is_standard_normal_and_belongs_to_face_and_sample():
    upper = halves()
    first, second = Flow.noise(upper, 0), Flow.noise(upper, 1)
    for noise in (first, second):
        assert noise.mean().abs() < 0.01
        assert noise.std() == pytest.approx(1, abs=0.01)
        assert noise.pow(4).mean() == pytest.approx(3, abs=0.1)
    almost = upper.clone()
    almost[:, 0, 3, 7] = (almost[:, 0, 3, 7] * 255 + 1) / 255
    shifted = [first[1:] * first[:-1], first[..., 1:] * first[..., :-1]]
    for product in (first * second, first * Flow.noise(almost, 0), *shifted):
        assert product.mean().abs() < 0.01
    assert torch.equal(Flow.noise(upper.flip(0)[:7], 0), first.flip(0)[:7])


@pytest.fixture(scope="module")
def flow(tmp_path_factory):
    """A flow that learned from lower halves that are black or white, whatever is above them."""
    random = np.random.default_rng(1)
    count = 140
    images = random.integers(0, 256, (count, 48, 48), dtype=np.uint8)
    images[:, 24:] = 255 * random.integers(0, 2, (count, 1, 1))
    split = np.repeat([0, 1], [count - 20, 20]).astype(np.uint8)
    rows = np.arange(count)
    faces = FaceSet(images, np.zeros(count, np.uint8), split, rows, np.zeros(0, np.uint8))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("flow"))
        train_entry("flow", ENTRY, faces, settings(epochs=10, batch_size=8, learning_rate=0.005))
        yield trained("flow"), to_unit(torch.from_numpy(crop(images)[0][:40, None]))


def test_it_draws_one_of_two_halves_and_not_their_mean(flow):
    model, upper = flow
    with torch.no_grad():
        drawn = torch.stack([model.sample(upper, number).mean((1, 2, 3)) for number in range(3)])
        assert torch.equal(model(upper), model.sample(upper, 0))
    sure = (drawn < 0.2) | (drawn > 0.8)
    assert sure.float().mean() > 0.8
    # After so few steps, how often it draws either depends on the processor's rounding.
    assert (drawn.amax(0) - drawn.amin(0) > 0.6).any()  # one face has both


def test_only_what_has_a_velocity_learns_by_flow_matching(faces, in_folder):
    entry = {"objective": {"name": "flow_matching"}, "width": 2}
    with pytest.raises(UserError, match=r"^UNet has no method velocity, which "):
        train_entry("unet", entry, faces, settings())


def test_a_posterior_is_averaged_over_what_was_drawn(flow, faces, in_folder):
    model, upper = flow
    run_classifier(faces, settings(epochs=2))
    reader = unmask.load("models/ceiling")
    parts = {
        "reconstructor": {"architecture": "flow", "settings": SETTINGS},
        "classifier": {"architecture": "paper_cnn", "settings": {
            "filters": [4, 8], "hidden": 16, "dropout": 0.2, "dense_dropout": 0.5
        }},
    }  # fmt: skip
    config = classifier_config("posterior_average", {**parts, "samples": 3}, "upper", (24, 48))
    average = build(config)
    average.reconstructor.load_state_dict(model.state_dict())
    average.classifier.load_state_dict(reader.state_dict())
    folder = in_folder / "average"
    folder.mkdir()
    save_model(average, config, folder)
    with torch.no_grad():
        drawn = [(255 * model.sample(upper, number)).round() / 255 for number in range(3)]
        faces_drawn = [torch.cat([upper, lower], 2) for lower in drawn]
        expected = torch.stack([reader(face).softmax(1) for face in faces_drawn]).mean(0)
        torch.testing.assert_close(unmask.load(folder)(upper).softmax(1), expected)


def test_many_readers_share_what_is_drawn(flow, faces, in_folder, monkeypatch, capsys):
    """The benchmark draws once for all; its means are those of the model in `classifiers`."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    import posterior_averages

    model, _ = flow
    run_classifier(faces, settings(epochs=2))
    save_array(Path("data/halves/upper.npy"), crop(faces.images)[0])
    save_array(Path("data/audit/keep.npy"), np.ones(len(faces), bool))
    shutil.copytree("faces", "data/faces")
    Path("data/faces/test_labels.npy").rename("data/test_labels.npy")
    folder = Path("models/reconstructors/flow")
    folder.mkdir(parents=True)
    save_model(model, reconstructor_config("flow", SETTINGS), folder)
    rows = faces.rows(TEST)
    before = predictions(faces.row[rows], np.load("data/test_labels.npy"), shares(len(rows)))
    write_predictions(Path("test.csv"), before)
    words = [".", str(folder), ".", "models/ceiling", "--samples", "1"]
    posterior_averages.main(words)
    capsys.readouterr()
    words.append("2")  # draws the second half of each face, beside the first
    posterior_averages.main(words)
    table = capsys.readouterr().out
    assert "| models_ceiling_1 |" in table
    with torch.no_grad():
        average = PosteriorAverage(model, unmask.load("models/ceiling"), 2)
        expected = average(to_unit(torch.from_numpy(crop(faces.images)[0][rows, None]))).exp()
    found = read_predictions(Path("data/posterior_averages/models_ceiling_2/test.csv"))
    np.testing.assert_allclose(found["probabilities"], expected, atol=2e-5)
    monkeypatch.setattr(type(model), "sample", None)  # nothing is drawn twice
    posterior_averages.main(words)
    assert capsys.readouterr().out == table


def shares(count):
    return np.random.default_rng(0).dirichlet(np.ones(7), count).astype(np.float32)


def test_one_half_cannot_be_averaged():
    parts = {
        "reconstructor": {"architecture": "unet", "settings": {"width": 2}},
        "classifier": {"architecture": "resnet", "settings": {}},
    }
    config = classifier_config("posterior_average", {**parts, "samples": 4}, "upper", (24, 48))
    with pytest.raises(UserError, match=r"unet always draws the same half.*set samples to 1"):
        build(config)

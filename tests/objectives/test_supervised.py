"""The perceptual loss: readers of whole faces hold stitched faces near the true ones."""

from pathlib import Path

import numpy as np
import pytest
import torch
from runs import settings, train_entry
from torch import nn

from unmask.core.errors import UserError
from unmask.core.faces import FaceSet
from unmask.core.files import read_json, save_array
from unmask.core.mask import crop
from unmask.models.batches import to_unit
from unmask.models.folder import build, classifier_config, load_model, save_model
from unmask.objectives import supervised
from unmask.training.run import begin

ENTRY = {"objective": {"name": "supervised"}, "width": 4, "dropout": 0.0}
FOLD = np.r_[np.tile([0, 1], 24), np.full(16, 255)].astype(np.uint8)


@pytest.fixture(scope="module")
def faces():
    images = np.random.default_rng(2).integers(0, 256, (64, 48, 48), dtype=np.uint8)
    split = np.repeat([0, 1], [48, 16]).astype(np.uint8)
    rows = np.arange(64)
    return FaceSet(images, np.zeros(64, np.uint8), split, rows, np.zeros(0, np.uint8))


@pytest.fixture
def teacher(tmp_path, monkeypatch):
    """Two readers of whole faces, in place of those that `teach` trains."""
    monkeypatch.chdir(tmp_path)
    config = classifier_config(
        "resnet", {"width": 4, "blocks": 1, "dropout": 0.0}, "whole", (48, 48), {}
    )
    folders = []
    for number in range(2):
        torch.manual_seed(number)
        folders.append(Path(f"models/teachers/whole/folds/{number}"))
        folders[-1].mkdir(parents=True)
        reader = build(config).eval()
        [*_, last] = [module for module in reader.modules() if isinstance(module, nn.Linear)]
        last.weight.data *= 100  # or all posteriors would be alike
        save_model(reader, config, folders[-1])
    save_array("models/teachers/whole/fold.npy", FOLD)
    return folders


class Constant(nn.Module):
    """Draws the same lower half for every face."""

    def __init__(self) -> None:
        super().__init__()
        self.lower = nn.Parameter(torch.full((1, 1, 24, 48), 0.5))

    def forward(self, upper):
        """Return it once for each face."""
        return self.lower.expand(len(upper), -1, -1, -1)


def objective(teachers, **weights):
    weights |= {"teachers": list(map(str, teachers))} if teachers else {}
    params = supervised.Params.model_validate(weights)
    train = settings()
    built = supervised.build(Constant(), params, train.reconstructor, begin(train))
    for reader in built.frozen.values():
        reader.eval().requires_grad_(False)
    return built


def batch_of(faces):
    upper, lower = (torch.from_numpy(half[:, None]) for half in crop(faces.images))
    return {"upper": upper, "lower": lower, "fold": torch.from_numpy(FOLD)}


def seen(teachers, faces, number):
    """Return features and posterior that reader `number` has of whole faces."""
    reader = load_model(teachers[number]).eval()
    features = []
    last = [module for module in reader.modules() if isinstance(module, nn.Linear)][-1]
    last.register_forward_pre_hook(lambda _, inputs: features.append(inputs[0]))
    with torch.inference_mode():
        logits = reader(faces)
    return features[0], logits.log_softmax(1)


def test_each_face_is_read_by_the_reader_that_has_not_seen_it(teacher, faces):
    built, batch = objective(teacher, expression=2.0, posterior=3.0), batch_of(faces)
    figures = built.measure(batch | built.known(batch))
    true = to_unit(torch.from_numpy(faces.images[:, None]))
    stitched = true.clone()
    stitched[:, :, 24:] = 0.5
    apart, divergence = np.zeros(64), np.zeros(64)
    for number in range(2):
        (one, theirs), (two, ours) = (seen(teacher, each, number) for each in (true, stitched))
        mine = number == FOLD % 2
        apart[mine] = 1 - torch.cosine_similarity(one, two).numpy()[mine]
        divergence[mine] = (theirs.exp() * (theirs - ours)).sum(1).numpy()[mine]
    pixels = (true - stitched)[:, :, 24:].abs().mean().item()
    assert figures["pixels"].item() == pytest.approx(pixels, rel=1e-5)
    assert figures["expression"].item() == pytest.approx(apart.mean(), rel=1e-3)
    assert figures["posterior"].item() == pytest.approx(divergence.mean(), rel=1e-3)
    total = pixels + 2 * apart.mean() + 3 * divergence.mean()
    assert figures["loss"].item() == pytest.approx(total, rel=1e-4)


@pytest.mark.parametrize("weight", ["expression", "posterior"])
def test_a_step_brings_the_drawn_half_nearer_to_the_expression(teacher, faces, weight):
    built, batch = objective(teacher, **{weight: 100.0}), batch_of(faces)
    batch |= built.known(batch)
    first = built.measure(batch)[weight].item()
    for _ in range(10):
        built.train_step(batch)
    assert built.measure(batch)[weight].item() < first


def test_readers_stay_as_they_are_and_the_record_says_who_taught(teacher, faces):
    before = [(folder / "weights.safetensors").read_bytes() for folder in teacher]
    entry = ENTRY | {"objective": {"name": "supervised", "expression": 0.5}}
    train_entry("unet", entry, faces, settings(epochs=2), teacher="whole")
    training = read_json("models/reconstructors/unet/training.json")
    assert training["teacher"] == "whole"
    assert {"validation/pixels", "validation/expression"} <= training["history"][0].keys()
    assert before == [(folder / "weights.safetensors").read_bytes() for folder in teacher]


@pytest.mark.usefixtures("teacher")
def test_who_asks_for_no_expression_learns_as_without_a_teacher(faces):
    train_entry("unet", ENTRY, faces, settings(epochs=1), teacher="whole")
    weights = Path("models/reconstructors/unet/weights.safetensors")
    taught = weights.read_bytes()
    train_entry("unet", ENTRY, faces, settings(epochs=1))
    assert weights.read_bytes() == taught
    assert "teacher" not in read_json("models/reconstructors/unet/training.json")


def test_without_a_teacher_one_line_says_what_to_set(faces, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    entry = ENTRY | {"objective": {"name": "supervised", "posterior": 0.5}}
    with pytest.raises(UserError, match=r"^params.yaml: recon.teacher: none, but .* has folds$"):
        train_entry("unet", entry, faces, settings(epochs=1))
    assert not Path("models").exists()

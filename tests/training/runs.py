"""Training runs that are small enough for tests: a few faces, narrow models, few epochs."""

from pathlib import Path

import numpy as np
import yaml
from safetensors.numpy import load_file

from unmask.core.faces import TRAIN, VALIDATION
from unmask.core.mask import crop
from unmask.models.folder import load_model
from unmask.params.models import Named, Reconstructor, Train
from unmask.training import loop, record
from unmask.training.classifier import train_classifier
from unmask.training.reconstructor import train_reconstructor

CLASSIFIER = {"name": "paper_cnn", "filters": [4, 8], "hidden": 16, "dropout": 0.2}
CLASSIFIER = Named.model_validate(CLASSIFIER | {"dense_dropout": 0.5})
SHIPPED = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text())["reconstructors"]
RECONSTRUCTORS = {
    name: entry | ({"width": 2} if "width" in entry else {}) for name, entry in SHIPPED.items()
}
for _name in ("cgan", "cgan_resnet"):  # a few steps have to do
    RECONSTRUCTORS[_name] = RECONSTRUCTORS[_name] | {"train": {}}
LEARNING = [name for name, entry in SHIPPED.items() if entry["objective"]["name"] != "closed_form"]


FOR_CLASSIFIERS = ("erasing", "mixup", "label_smoothing")
EVERYTHING = {
    "optimiser": "adamw", "weight_decay": 0.05, "warmup": 1.5, "average": 0.9, "gradient_clip": 1.0,
    "flip": 0.5, "rotation": 10.0, "shift": 2.0, "scale": 0.1, "brightness": 0.2, "contrast": 0.2,
    "erasing": 0.5, "mixup": 0.4, "label_smoothing": 0.1,
}  # fmt: skip


def settings(seed=1, devices=1, **changes):
    kind = {"epochs": 4, "patience": 4, "batch_size": 16, "learning_rate": 0.003}
    kind |= {"schedule": "cosine", "gradient_clip": None}
    kind |= {"flip": 0.5, "rotation": 0.0, "shift": 0.0} | changes
    other = {name: value for name, value in kind.items() if name not in FOR_CLASSIFIERS}
    sections = {"classifier": kind, "reconstructor": other}
    processes = {"precision": "float32", "devices": devices, "nodes": 1, "launcher": "python"}
    return Train.model_validate({"seed": seed, **processes, **sections})


def run_classifier(faces, train, keep=None, classifier=CLASSIFIER, source=None):
    keep = np.ones(len(faces), bool) if keep is None else keep
    images, source = faces.images, source or {}
    train_classifier("ceiling", "whole", images, faces, keep, classifier, train, source)
    return load_file("models/ceiling/weights.safetensors")


def run_reconstructor(name, faces, train_settings, **changes):
    train_entry(name, RECONSTRUCTORS[name] | changes, faces, train_settings)
    return load_file(f"models/reconstructors/{name}/weights.safetensors")


def train_entry(name, entry, faces, train_settings, **others):
    """Train the reconstructor `name` by what an entry of params.yaml says."""
    entry = Reconstructor.model_validate(entry)
    rows = faces.rows(TRAIN), faces.rows(VALIDATION)
    run = f"reconstructors/{name}"
    train_reconstructor(name, crop(faces.images), rows, entry, train_settings, run, {}, **others)


def trained(name):
    """Return the reconstructor as `reconstruct` would use it."""
    return load_model(f"models/reconstructors/{name}")


def same(first, second):
    return all(np.array_equal(first[key], second[key]) for key in first)


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in Path(folder).rglob("*") if p.is_file()}


class PowerCut(Exception):  # noqa: N818
    """Stands for a machine that goes down."""


def save_every_epoch(monkeypatch):
    """Let a run write a checkpoint after every epoch, however short."""
    monkeypatch.setattr(record, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)


def interrupt_after(monkeypatch, epochs):
    """Let training, which saves every epoch, fail at the start of the epoch after `epochs`."""
    save_every_epoch(monkeypatch)
    train = loop._train

    def failing(objective, batches, settings, seed, epoch, *others):
        if epoch == epochs:
            raise PowerCut
        return train(objective, batches, settings, seed, epoch, *others)

    monkeypatch.setattr(loop, "_train", failing)

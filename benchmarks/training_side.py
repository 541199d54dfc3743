"""One side of benchmarks/training.py, as its own process.

    python benchmarks/training_side.py SIDE FOLDER SEED WORKERS

Trains the paper's CNN on the faces in FOLDER, with the settings in its job.json, and prints images
per second and the validation accuracy of the best epoch. `unmask` is the pipeline's own loop, with
checkpoints and curves. `pytorch` and `lightning` train the same module as their tutorials do.
"""

import json
import math
import os
import sys
from pathlib import Path
from typing import Any

from alternate import ROOT
from clock import Clock

sys.path.insert(0, str(ROOT / "src"))

from unmask.core.process import prepare

if sys.argv[1] == "unmask":
    prepare()  # as every stage does before it imports torch

import product
import torch
from plain import DEVICE, loaders
from torch import Tensor, nn
from torch.nn import functional

from unmask.core.faces import TRAIN, VALIDATION, FaceSet
from unmask.models.folder import ModelConfig, build, classifier_config
from unmask.objectives.cross_entropy import CrossEntropy, Params
from unmask.params.models import Train, Training
from unmask.training.run import begin

NAME, VIEW = "paper_cnn", "whole"


def main(side: str, folder: str, seed: str, workers: str) -> None:
    """Train and print."""
    os.chdir(folder)
    job = json.loads(Path("job.json").read_text())
    train = Train.model_validate(job["train"] | {"seed": int(seed)})
    faces, clock = FaceSet.open("."), Clock()
    config = classifier_config(NAME, job["classifiers"][NAME], VIEW, faces.images.shape[1:])
    accuracy = SIDES[side](faces, config, train, int(workers), clock)
    print(json.dumps(clock.rates(len(faces.rows(TRAIN))) | {"accuracy": accuracy}))


def _unmask(faces: FaceSet, config: ModelConfig, train: Train, workers: int, clock: Clock) -> float:
    settings = train.classifier
    compute = begin(train)
    objective = CrossEntropy(build(config), Params(view=VIEW), settings, compute)
    arrays = {"face": faces.images, "label": faces.labels}
    rows = faces.rows(TRAIN), faces.rows(VALIDATION)
    state = product.train(objective, arrays, rows, settings, train.seed, compute, clock)
    return state.history[state.best_epoch]["validation/accuracy"]


def _pytorch(
    faces: FaceSet, config: ModelConfig, train: Train, workers: int, clock: Clock
) -> float:
    torch.manual_seed(train.seed)
    settings, best = train.classifier, 0.0
    learn, judge = _loaders(faces, settings, workers)
    model = build(config).to(DEVICE)
    optimiser = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
    schedule = _schedule(optimiser, settings)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(settings.epochs):
        model.train()
        total = 0.0
        for images, labels in learn:
            optimiser.zero_grad()
            loss = criterion(model(images.to(DEVICE)), labels.to(DEVICE))
            loss.backward()
            optimiser.step()
            total += loss.item()
        schedule.step()
        model.eval()
        right = 0
        with torch.no_grad():
            for images, labels in judge:
                right += int((model(images.to(DEVICE)).argmax(1).cpu() == labels).sum())
        best = max(best, right / len(faces.rows(VALIDATION)))
        clock(epoch)
    return best


def _lightning(
    faces: FaceSet, config: ModelConfig, train: Train, workers: int, clock: Clock
) -> float:
    from lightning.pytorch import LightningModule, Trainer

    settings = train.classifier

    class Module(LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = build(config)
            self.best, self.right = 0.0, 0

        def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
            images, labels = batch
            loss = functional.cross_entropy(self.model(images), labels)
            self.log("loss", loss)
            return loss

        def on_validation_epoch_start(self) -> None:
            self.right = 0

        def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
            images, labels = batch
            self.right += int((self.model(images).argmax(1) == labels).sum())

        def on_validation_epoch_end(self) -> None:
            self.best = max(self.best, self.right / len(faces.rows(VALIDATION)))
            clock()

        def configure_optimizers(self) -> Any:
            optimiser = torch.optim.Adam(self.parameters(), lr=settings.learning_rate)
            return [optimiser], [_schedule(optimiser, settings)]

    torch.manual_seed(train.seed)
    module = Module()
    # Its loggers, checkpoints and progress bar are off: only the loop is measured.
    trainer = Trainer(
        max_epochs=settings.epochs, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0,
    )  # fmt: skip
    trainer.fit(module, *_loaders(faces, settings, workers))
    return module.best


def _loaders(faces: FaceSet, settings: Training, workers: int) -> Any:
    rows = faces.rows(TRAIN), faces.rows(VALIDATION)
    return loaders(faces.images, faces.labels, rows, settings, workers)


def _schedule(optimiser: torch.optim.Optimizer, settings: Training) -> Any:
    """Return unmask's schedule `cosine`."""
    return torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda epoch: (1 + math.cos(math.pi * epoch / settings.epochs)) / 2
    )


SIDES = {"unmask": _unmask, "pytorch": _pytorch, "lightning": _lightning}

if __name__ == "__main__":
    main(*sys.argv[1:])

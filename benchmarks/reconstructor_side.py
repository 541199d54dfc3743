"""One side of benchmarks/reconstructors.py, as a process of its own.

    python benchmarks/reconstructor_side.py SIDE NAME FOLDER

Trains the reconstructor NAME on the faces in FOLDER, as job.json there says, and prints images per
second and the seconds of the whole run. `unmask` is the pipeline's loop, `anew` the same without
kept features of frozen encoders, `pytorch` a plain loop in float32 with the same losses. `count`
trains nothing: it prints how often the decoder's operations go into those of its frozen encoder.
"""

import json
import os
import sys
import time
from pathlib import Path

from alternate import ROOT
from clock import Clock

sys.path.insert(0, str(ROOT / "src"))

import numpy as np
import product
import torch
from numpy.typing import NDArray
from plain import DEVICE, loaders
from torch.utils.flop_counter import FlopCounterMode

from unmask.core.faces import SIZE, TRAIN, VALIDATION, FaceSet
from unmask.core.section import check
from unmask.mask import UPPER_ROWS, crop
from unmask.models import registry
from unmask.models.device import Compute
from unmask.models.folder import build_reconstructor
from unmask.params.models import Reconstructor
from unmask.params.training import Train, Training
from unmask.training.objective import Objective
from unmask.training.reconstructor import Pretrainable, keep_features
from unmask.training.run import prepare

Rows = tuple[NDArray[np.int64], NDArray[np.int64]]


def main(side: str, name: str, folder: str) -> None:
    """Train and print."""
    os.chdir(folder)
    job = json.loads(Path("job.json").read_text())
    train = Train.model_validate(job["train"])
    entry = Reconstructor.model_validate(job["reconstructors"][name])
    settings = entry.training(train.reconstructor, name)
    if side == "count":
        print(json.dumps({"encoder to decoder": _operations(name, entry)}))
        return
    faces, clock = FaceSet.open("."), Clock()
    rows = faces.rows(TRAIN), faces.rows(VALIDATION)
    began = time.perf_counter()
    if side == "pytorch":
        _plain(name, entry, settings, faces, rows, clock)
    else:
        _own(name, entry, settings, train, faces, rows, clock, keep=side == "unmask")
    seconds = time.perf_counter() - began
    print(json.dumps(clock.rates(len(rows[0])) | {"seconds": seconds}))


def _own(
    name: str,
    entry: Reconstructor,
    settings: Training,
    train: Train,
    faces: FaceSet,
    rows: Rows,
    clock: Clock,
    keep: bool,
) -> None:
    """Train as `unmask.training.reconstructor.train` does, without pictures and artefacts."""
    machine = prepare(train)
    model = learner = build_reconstructor(name, entry)
    arrays = list(crop(np.array(faces.images)))
    frozen = isinstance(model, Pretrainable) and model.encoder_is_frozen
    if keep and frozen and not settings.augments:
        used = np.concatenate(rows)
        arrays += keep_features("benchmark", model.encoder, arrays[0], used, machine)
        learner = model.decoder
    objective = _objective(entry, learner, settings, machine)
    product.train(objective, arrays, rows, settings, train.seed, machine, clock)


def _plain(
    name: str,
    entry: Reconstructor,
    settings: Training,
    faces: FaceSet,
    rows: Rows,
    clock: Clock,
) -> None:
    """Train the same losses by the usual loop: one face at a time through PIL, Adam as it comes."""
    learn, judge = loaders(np.array(faces.images), faces.labels, rows, settings, workers=0)
    model = build_reconstructor(name, entry)
    objective = _objective(entry, model, settings, Compute(DEVICE, "float32"))
    for module in (model, *objective.helpers.values()):
        module.to(DEVICE)
    for number, fused in enumerate(objective.optimisers):
        group = fused.param_groups[0]
        objective.optimisers[number] = torch.optim.Adam(
            group["params"], lr=group["lr"], betas=group["betas"]
        )
    halves = [UPPER_ROWS, SIZE - UPPER_ROWS]
    for epoch in range(settings.epochs):
        for module in (model, *objective.helpers.values()):
            module.train()
        total = 0.0
        for images, _ in learn:
            total += objective.train_step(images.to(DEVICE).split(halves, dim=2))["loss"].item()
        model.eval()
        with torch.no_grad():
            for images, _ in judge:
                total += objective.measure(images.to(DEVICE).split(halves, dim=2))["loss"].item()
        clock(epoch)


def _operations(name: str, entry: Reconstructor) -> float:
    """Return the encoder's floating-point operations per one of the decoder's, there and back."""
    model = build_reconstructor(name, entry)
    with FlopCounterMode(display=False) as encoder, torch.no_grad():
        features = model.encoder(torch.zeros(2, 1, UPPER_ROWS, SIZE))
    with FlopCounterMode(display=False) as decoder:
        model.decoder(*features).sum().backward()
    return float(encoder.get_total_flops() / decoder.get_total_flops())


def _objective(
    entry: Reconstructor, model: torch.nn.Module, settings: Training, machine: Compute
) -> Objective:
    module = registry.load("training.objectives", entry.objective.name)
    params = check(module.Params, entry.objective.settings, "objective")
    objective: Objective = module.build(model, params, settings, machine)
    return objective


if __name__ == "__main__":
    main(*sys.argv[1:])

"""One side of benchmarks/reconstructors.py, as its own process.

    python benchmarks/reconstructor_side.py SIDE NAME FOLDER

Trains the reconstructor NAME on the faces in FOLDER, with the settings in its job.json, and prints
images per second and the seconds of the whole run. `unmask` is the pipeline's loop; `recomputed` is
the same but computes the features of frozen encoders in every epoch; `pytorch` is a plain loop in
float32 with the same losses. `count` trains nothing: it prints the ratio of the frozen encoder's
operations to those of its decoder.
"""

import json
import os
import sys
import time
from pathlib import Path

from alternate import ROOT
from clock import Clock

sys.path.insert(0, str(ROOT / "src"))

from unmask.core.process import prepare

if sys.argv[1] in ("unmask", "recomputed"):
    prepare()  # as every stage does before it imports torch

import numpy as np
import product
import torch
from numpy.typing import NDArray
from plain import DEVICE, loaders
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from unmask.core.faces import SIZE, TRAIN, VALIDATION, FaceSet
from unmask.core.mask import UPPER_ROWS, crop
from unmask.core.section import check
from unmask.models import registry
from unmask.models.folder import build, reconstructor_config
from unmask.params.models import Reconstructor, Train, Training
from unmask.training.objective import Objective
from unmask.training.process_group import Compute
from unmask.training.reconstructor import keep_features
from unmask.training.run import Pretrainable, begin

Rows = tuple[NDArray[np.int64], NDArray[np.int64]]


def main(side: str, name: str, folder: str) -> None:
    """Train and print."""
    os.chdir(folder)
    job = json.loads(Path("job.json").read_text())
    train = Train.model_validate(job["train"])
    entry = Reconstructor.model_validate(job["reconstructors"][name])
    settings = train.reconstructor.overridden(entry.train, f"reconstructors.{name}")
    if side == "count":
        print(json.dumps({"encoder to decoder": _operations(name, entry)}))
        return
    faces, clock = FaceSet.open("."), Clock()
    rows = faces.rows(TRAIN), faces.rows(VALIDATION)
    began = time.perf_counter()
    if side == "pytorch":
        _plain(name, entry, settings, faces, rows, clock)
    else:
        _ours(name, entry, settings, train, faces, rows, clock, keep=side == "unmask")
    seconds = time.perf_counter() - began
    print(json.dumps(clock.rates(len(rows[0])) | {"seconds": seconds}))


def _ours(
    name: str,
    entry: Reconstructor,
    settings: Training,
    train: Train,
    faces: FaceSet,
    rows: Rows,
    clock: Clock,
    keep: bool,
) -> None:
    """Train as `train_reconstructor` does, without pictures and artefacts."""
    compute = begin(train)
    model = learner = build(reconstructor_config(name, entry.settings))
    upper, lower = crop(np.array(faces.images))
    arrays = {"upper": upper, "lower": lower}
    frozen = isinstance(model, Pretrainable) and model.encoder_is_frozen
    if keep and frozen and not settings.augments:
        used = np.concatenate(rows)
        arrays |= keep_features(
            "benchmark", model.encoder, [name, entry.settings], upper, used, compute
        )
        learner = model.decoder
    objective = _objective(entry, learner, settings, compute)
    product.train(objective, arrays, rows, settings, train.seed, compute, clock)


def _plain(
    name: str,
    entry: Reconstructor,
    settings: Training,
    faces: FaceSet,
    rows: Rows,
    clock: Clock,
) -> None:
    """Train with the same losses in the usual loop: face by face through PIL, and default Adam."""
    learn, judge = loaders(np.array(faces.images), faces.labels, rows, settings, workers=0)
    model = build(reconstructor_config(name, entry.settings))
    objective = _objective(entry, model, settings, Compute(DEVICE, "float32"))
    for module in (model, *objective.helpers.values()):
        module.to(DEVICE)
    for number, fused in enumerate(objective.optimisers):
        group = fused.param_groups[0]
        objective.optimisers[number] = torch.optim.Adam(
            group["params"], lr=group["lr"], betas=group["betas"]
        )

    def halves(images: Tensor) -> dict[str, Tensor]:
        upper, lower = images.to(DEVICE).split([UPPER_ROWS, SIZE - UPPER_ROWS], dim=2)
        return {"upper": upper, "lower": lower}

    for epoch in range(settings.epochs):
        for module in (model, *objective.helpers.values()):
            module.train()
        total = 0.0
        for images, _ in learn:
            total += objective.train_step(halves(images))["loss"].item()
        model.eval()
        with torch.no_grad():
            for images, _ in judge:
                total += objective.measure(halves(images))["loss"].item()
        clock(epoch)


def _operations(name: str, entry: Reconstructor) -> float:
    """Return how many operations the encoder's forward pass takes for each of the decoder's.

    The decoder's are those of its forward and backward pass.
    """
    model = build(reconstructor_config(name, entry.settings))
    with FlopCounterMode(display=False) as encoder, torch.no_grad():
        features = model.encoder(torch.zeros(2, 1, UPPER_ROWS, SIZE))
    with FlopCounterMode(display=False) as decoder:
        model.decoder(*features).sum().backward()
    return float(encoder.get_total_flops() / decoder.get_total_flops())


def _objective(
    entry: Reconstructor, model: torch.nn.Module, settings: Training, compute: Compute
) -> Objective:
    module = registry.load("objectives", entry.objective.name)
    params = check(module.Params, entry.objective.settings, "objective")
    objective: Objective = module.build(model, params, settings, compute)
    return objective


if __name__ == "__main__":
    main(*sys.argv[1:])

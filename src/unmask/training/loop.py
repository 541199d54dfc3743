"""The one training loop: epochs, early stopping on validation, checkpoints, curves."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from unmask.core.errors import UserError
from unmask.core.randomness import seed_for
from unmask.models.batches import Batch, Batches, Inputs, face_by_face, placed
from unmask.params.models import FEWEST, Training
from unmask.training.augmentation import alter, draw, mix, partners
from unmask.training.average import Average
from unmask.training.cuda_graph import GraphedStep, make_capturable
from unmask.training.objective import Objective
from unmask.training.process_group import SINGLE, Compute, ProcessGroup
from unmask.training.record import Figures, Record, State

_DRAWS = "draws"

_FACES_AT_ONCE = {"cuda": 2048}
"""Faces whose batches a GPU makes at once: kernels that are too small to keep it busy take as long
for 2,000 faces as for 128, and each teacher of a fold finds enough of its own among them."""


def fit(
    objective: Objective,
    train: Batches,
    validation: Batches,
    settings: Training,
    seed: int,
    compute: Compute,
    record: Record,
    each_epoch: Callable[[int], None] | None = None,
) -> State:
    """Train until validation has not improved for `settings.patience` epochs.

    The model is left in evaluation mode with the weights of its best epoch. A run that finds its
    own checkpoint in `record` goes on from there. `each_epoch(epoch)` is called after each epoch
    with the model in evaluation mode.
    """
    model, device = objective.model, compute.device
    train, validation = (placed(batches, device, record.say) for batches in (train, validation))
    if not objective.optimisers:
        # Without a gradient there is nothing to share: each process then computes the whole.
        compute = replace(compute, group=SINGLE)
    average = None
    if settings.average and objective.optimisers:
        average = objective.helpers["average"] = Average(model, settings.average)
    _place(objective, compute)
    # Processes that share gradients talk to each other within a step.
    captured = objective.capturable and compute.group is SINGLE
    if captured:
        make_capturable(objective.optimisers, device)

    def step(batch: Batch) -> dict[str, Tensor]:
        figures = objective.train_step(batch)
        if average:
            average.follow(model)
        return figures

    learning = GraphedStep(step, device, captured)
    judging = GraphedStep(objective.measure, device, captured)
    state = record.resume(objective)
    # What is computed in closed form is complete when each face has been seen.
    epochs = settings.epochs if objective.optimisers else 1
    while len(state.history) < epochs and state.stale < settings.patience:
        epoch = len(state.history)
        record.epoch_begins(epoch, epochs)
        # What dropout and objectives draw from, which differs between the parts of a batch.
        rank = compute.group.rank
        torch.manual_seed(seed_for(seed, epoch, *([rank] if rank else [])))
        _set_learning_rate(objective, settings, epoch)
        figures = _train(objective, train, settings, seed, epoch, learning, compute, record)
        with average.judged(model) if average else nullcontext():
            figures |= _validate(objective, validation, settings, judging, compute)
            _remember(state, objective, figures)
            if each_epoch:
                each_epoch(epoch)
        record.epoch_ends(objective, state)
    model.load_state_dict(state.best)
    model.eval()
    return state


def _place(objective: Objective, compute: Compute) -> None:
    """Put all modules on the device; freeze those that are only used."""
    for module in _learning(objective):
        compute.group.synchronise(module)
        module.to(compute.device)
        module.to(memory_format=torch.channels_last)
    for module in objective.frozen.values():
        module.to(compute.device).eval().requires_grad_(False)
        module.to(memory_format=torch.channels_last)


def _batches(
    source: Batches,
    order: NDArray[np.int64],
    beside: Mapping[str, Tensor],
    objective: Objective,
    settings: Training,
    compute: Compute,
) -> Iterator[Batch]:
    """Yield the batch of each step on the device, with what the objective knows of its faces.

    The faces are altered as drawn, if something was.
    """
    device, group = compute.device, compute.group
    at_once = max(1, _FACES_AT_ONCE.get(device.type, 0) // source.batch_size)
    cuts = source.cuts(FEWEST * group.size)
    faces = iter(cut.stop - cut.start for cut in cuts)
    for inputs, sizes in source.steps(order, beside, group.part, cuts, at_once):
        batch = source.complete(_on(device, inputs))
        if _DRAWS in batch:
            draws = face_by_face(batch.pop(_DRAWS), 2)
            batch = alter(batch, draws, settings)
            if settings.mixup:
                batch = mix(batch, draws, settings)
        batch |= objective.known(batch)
        for parts in zip(*(tensor.split(sizes) for tensor in batch.values()), strict=True):
            group.begin(next(faces))
            yield dict(zip(batch, parts, strict=True))


def _on(device: torch.device, inputs: Inputs) -> Inputs:
    """Return them on the device; copies to a GPU start from pinned memory, and nothing waits."""
    if device.type != "cuda":
        return {name: tensor.to(device) for name, tensor in inputs.items()}
    ready = {name: t if t.is_cuda else t.pin_memory() for name, t in inputs.items()}
    return {name: tensor.to(device, non_blocking=True) for name, tensor in ready.items()}


def _learning(objective: Objective) -> list[nn.Module]:
    return [objective.model, *objective.helpers.values()]


def _set_learning_rate(
    objective: Objective, settings: Training, epoch: int, share: float = 0.0
) -> None:
    """Scale the rates that the optimisers started with.

    As the schedule says for this epoch, and warming up as for this `share` of it.
    """
    factor = 1.0
    if settings.schedule == "cosine":
        factor = (1 + math.cos(math.pi * epoch / settings.epochs)) / 2
    if epoch < settings.warmup:
        factor *= min(1.0, (epoch + share) / settings.warmup)
    for optimiser in objective.optimisers:
        for group in optimiser.param_groups:
            rate = group.setdefault("initial_lr", group["lr"]) * factor
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate


def _train(
    objective: Objective,
    train: Batches,
    settings: Training,
    seed: int,
    epoch: int,
    learn: GraphedStep,
    compute: Compute,
    record: Record,
) -> Figures:
    group = compute.group
    for module in _learning(objective):
        module.train()
    order, beside = train.shuffled(seed, epoch), dict[str, Tensor]()
    if settings.mixup:
        order = np.stack([order, partners(train.rows, seed, epoch)[order]], axis=1)
    if settings.augments:
        beside[_DRAWS] = draw(train.rows[order], seed, epoch, settings)
    count = len(train.cuts(FEWEST * group.size))

    def steps() -> Iterable[dict[str, Tensor]]:
        batches = _batches(train, order, beside, objective, settings, compute)
        for number, batch in enumerate(batches, 1):
            if epoch < settings.warmup:
                _set_learning_rate(objective, settings, epoch, number / count)
            yield learn(batch)
            record.faces_seen(group.faces * group.size, len(train))

    figures = _means("train", steps(), group)
    for module in _learning(objective):
        group.average_buffers(module)
    return figures


@torch.no_grad()
def _validate(
    objective: Objective,
    validation: Batches,
    settings: Training,
    judge: GraphedStep,
    compute: Compute,
) -> Figures:
    objective.model.eval()
    order = np.arange(len(validation))
    batches = _batches(validation, order, {}, objective, settings, compute)
    return _means("validation", map(judge, batches), compute.group)


def _means(split: str, steps: Iterable[dict[str, Tensor]], group: ProcessGroup) -> Figures:
    """Average figures over faces; they stay on the device until the end, so that no step waits."""
    faces, sums = 0, dict[str, Tensor]()
    for figures in steps:
        faces += group.faces
        for name, value in figures.items():
            sums[name] = sums.get(name, torch.zeros_like(value)) + value.detach() * group.faces
    total = torch.tensor(float(faces), device=next(iter(sums.values())).device)
    of_all = group.sum(total)
    return {f"{split}/{name}": (group.sum(part) / of_all).item() for name, part in sums.items()}


def _remember(state: State, objective: Objective, figures: Figures) -> None:
    """Add the figures to the history, and keep the weights if they are the best so far."""
    if not all(map(math.isfinite, figures.values())):
        raise UserError(
            f"training diverged in epoch {len(state.history) + 1}; lower its learning_rate"
        )
    state.history.append(figures)
    monitored = f"validation/{objective.monitor}"
    gain = objective.sign * (figures[monitored] - state.history[state.best_epoch][monitored])
    if not state.best or gain > 0:
        state.best_epoch = len(state.history) - 1
        state.best = {k: v.detach().cpu().clone() for k, v in objective.model.state_dict().items()}

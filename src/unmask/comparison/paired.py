"""Readers that were trained from several seeds, judged and compared on the same faces."""

from collections.abc import Sequence
from math import lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, norm, ttest_1samp

from unmask.evaluation.predictions import SMALLEST, Table
from unmask.evaluation.statistics import drawn_means, interval, refuse_other_faces

Counts = NDArray[np.int64]


def summary(tables: Sequence[Table]) -> dict[str, Any]:
    """Return the mean accuracy of several models on the same faces, with its interval."""
    right, models = _times_right(tables), len(tables)
    by_seed = _by_seed(tables)
    return {
        "accuracy": float(np.mean(by_seed)),
        "ci95": interval(drawn_means(tables[0]["label"], right, 0, models) / models),
        "standard_deviation": float(np.std(by_seed, ddof=1)) if models > 1 else None,
        "by_seed": by_seed,
    }


def gain(first: Sequence[Table], second: Sequence[Table], *, paired: bool) -> dict[str, Any]:
    """Return how much more accurate the second reader is than the first, on the same faces.

    first, second: the predictions of each of their models; paired: whether these have the same
    seeds, one by one. `accuracy` is the difference of the means over models, `ci95` its interval
    over draws of faces, `below` the upper end of the 90 % one and `equivalent_within` its larger
    end, `p` that of `sign_flip_p`, `t_test_p` that of the paired t test over seeds (None unless
    paired).
    """
    one, two = _times_right(first), _times_right(second)
    refuse_other_faces(first[0], second[0])
    whole = lcm(len(first), len(second))
    apart = two * (whole // len(second)) - one * (whole // len(first))
    drawn = drawn_means(first[0]["label"], apart, -whole, whole) / whole
    ends = np.quantile(drawn, [0.05, 0.95])
    gains = np.subtract(_by_seed(second), _by_seed(first)) if paired else None
    return {
        "accuracy": float(apart.mean() / whole),
        "ci95": interval(drawn),
        "below": float(ends[1]),
        "equivalent_within": float(np.abs(ends).max()),
        "p": sign_flip_p(apart),
        "t_test_p": paired_t_p(gains) if paired and len(first) > 1 else None,
    }


def log_loss(tables: Sequence[Table]) -> dict[str, Any]:
    """Return the log loss, in nats, of several models on the same faces.

    `mean` is over models and faces, `ci95` its interval over faces, `by_seed` each model's. The
    loss of a face is -log p(label), a proper score (Gneiting and Raftery 2007, "Strictly proper
    scoring rules, prediction, and estimation", section 2): the true posterior has the least. So it
    sees differences between readers' probabilities that leave their answers as they are.
    """
    losses = _losses(tables)
    return _about(losses.mean(axis=0)) | {"by_seed": losses.mean(axis=1).tolist()}


def log_loss_change(first: Sequence[Table], second: Sequence[Table]) -> dict[str, Any]:
    """Return the second reader's log loss less the first's, in nats, on the same faces.

    `mean` is over models and faces, `ci95` its interval over faces. Below zero, the second's
    probabilities are better.
    """
    refuse_other_faces(first[0], second[0])
    return _about(_losses(second).mean(axis=0) - _losses(first).mean(axis=0))


def sign_flip_p(apart: Counts) -> float:
    """Return the two-sided p of the exact sign-flip test that differences are about zero.

    apart: int [n], by how much each face is read better by the second of two readers. If neither is
    better, each sign could as well have been the other one; p is the share of all 2^n choices of
    signs whose sum is as far from zero. With differences of one it is McNemar's exact test.
    """
    ways = np.ones(1)  # probabilities of the sums -total, -total + 2, ... total
    for size, faces in enumerate(np.bincount(np.abs(apart))[1:].tolist(), 1):
        alone = np.zeros(faces * size + 1)
        alone[::size] = binom.pmf(np.arange(faces + 1), faces, 0.5)
        ways = np.convolve(ways, alone)
    total = len(ways) - 1
    sums = 2 * np.arange(len(ways)) - total
    return float(min(1.0, ways[np.abs(sums) >= abs(int(apart.sum()))].sum()))


def paired_t_p(gain: Any) -> float | None:
    """Return the two-sided p of the paired t test.

    None if all gains are equal: that happens by chance, as accuracies come in steps of a face, and
    says nothing about how much they vary.
    """
    if np.allclose(gain, gain[0], rtol=0):
        return None
    return float(ttest_1samp(gain, 0).pvalue)


def _by_seed(tables: Sequence[Table]) -> list[float]:
    return [float((one["label"] == one["prediction"]).mean()) for one in tables]


def _times_right(tables: Sequence[Table]) -> Counts:
    """Return how many of several models read each face right, int64 [n]."""
    for other in tables[1:]:
        refuse_other_faces(tables[0], other)
    right: Counts = np.stack([one["label"] == one["prediction"] for one in tables]).astype(np.int64)
    times: Counts = right.sum(axis=0)
    return times


def _losses(tables: Sequence[Table]) -> NDArray[np.float64]:
    """Return -log p(label) for each model and face, float64 [models, n]."""
    for other in tables[1:]:
        refuse_other_faces(tables[0], other)
    faces = np.arange(len(tables[0]))
    of_labels = np.stack([one["probabilities"][faces, one["label"]] for one in tables])
    losses: NDArray[np.float64] = -np.log(np.maximum(of_labels, SMALLEST))
    return losses


def _about(values: NDArray[np.float64]) -> dict[str, Any]:
    """Return the mean over faces and its 95 % interval, by the standard error."""
    mean, margin = values.mean(), norm.ppf(0.975) * values.std(ddof=1) / np.sqrt(len(values))
    return {"mean": float(mean), "ci95": [float(mean - margin), float(mean + margin)]}

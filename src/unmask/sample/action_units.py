"""Which facial action units move in which expression, and the best accuracy that this allows.

The units are those of the Facial Action Coding System (FACS, Ekman & Friesen 1978). Which of them
are typical of an emotion follows the prototypes of EMFACS (Ekman & Friesen 1983), for instance 6+12
for happiness, 1+2+5+26 for surprise, 4+5+7+23 for anger. The percentages are our own: they are
chosen so that the part above a mask tells much less than the whole face, as in real life.

Given the emotion, the units move independently of each other, so the attainable accuracy can be
computed exactly, by enumeration.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unmask.core.faces import CLASSES

UPPER_UNITS = ("AU1", "AU2", "AU4", "AU5", "AU7")
"""Visible above the mask: inner brow raiser, outer brow raiser, brow lowerer, upper lid raiser, lid
tightener."""

LOWER_UNITS = ("AU6", "AU9", "AU10", "AU12", "AU15", "AU17", "AU20", "AU23", "AU25", "AU26")
"""Drawn below the mask's edge: cheek raiser, nose wrinkler, upper lip raiser, lip corner puller,
lip corner depressor, chin raiser, lip stretcher, lip tightener, lips part, jaw drop."""

UNITS = UPPER_UNITS + LOWER_UNITS

PRIORS = np.array([0.14, 0.06, 0.14, 0.24, 0.16, 0.11, 0.15])
"""Fraction of each class: FER2013's, rounded, with disgust raised from 1.5 % to 6 %."""

_PERCENT = {
    #           AU1 AU2 AU4 AU5 AU7  AU6 AU9 AU10 12 15 17 20 23 25 26
    "angry":    (3,  4, 85, 45, 40,   3,  6,  8,  2,  8, 30,  3, 90, 30,  3),
    "disgust":  (4,  4, 85,  3, 88,  10, 92, 80,  2, 12, 35,  4,  4, 25,  4),
    "fear":    (70, 62, 55, 70, 25,   3,  3,  8,  2,  6,  5, 90,  3, 75, 30),
    "happy":    (6,  8,  4,  6, 55,  85,  3,  5, 97,  2,  3,  3,  2, 65, 10),
    "sad":     (75, 10, 50,  3, 20,   5,  3,  4,  2, 90, 60,  5,  4,  6,  2),
    "surprise":(85, 90,  3, 75,  3,   2,  2,  2,  3,  2,  2,  4,  2, 65, 93),
    "neutral":  (5,  5,  5,  5, 10,   4,  2,  2,  3,  4,  4,  2,  4,  5,  2),
}  # fmt: skip

PROBABILITIES = np.array([_PERCENT[name] for name in CLASSES]) / 100
"""float [7,15]: the probability that each of UNITS moves in each of CLASSES."""


def attainable_accuracy() -> dict[str, float]:
    """Return the best expected accuracy from the units above the mask and from all of them.

    `upper` bounds every reader of the upper half, however good: apart from the units above the
    mask, nothing in those rows depends on the emotion (identity, pose, light and noise are drawn
    without it), so the label reaches the picture only through these units. A reader that sees the
    units themselves does best by naming the emotion with the largest prior(e) * prod P(unit | e);
    the sum of that maximum over all configurations is the fraction of faces named correctly.
    `whole` is the same over all units, for readers of the whole face. A finite test split deviates
    by sampling error.
    """
    upper = len(UPPER_UNITS)
    return {
        "upper": float(joint(range(upper)).max(axis=0).sum()),
        "whole": float(joint(range(len(UNITS))).max(axis=0).sum()),
    }


def attainable_log_loss() -> dict[str, float]:
    """Return the least expected log loss, in nats, from the units above the mask and from all.

    It is the entropy of the emotion given these units, which the true posterior reaches. As with
    `attainable_accuracy`, it bounds readers of the upper half and of the whole face.
    """
    return {
        "upper": _entropy(joint(range(len(UPPER_UNITS)))),
        "whole": _entropy(joint(range(len(UNITS)))),
    }


def _entropy(both: NDArray[np.float64]) -> float:
    """Return H(emotion | configuration) in nats, from their joint probabilities."""
    return float(-(both * np.log(both / both.sum(axis=0))).sum())


def joint(units: Sequence[int]) -> NDArray[np.float64]:
    """Return P(emotion and configuration) of `units`, which are indices into UNITS.

    float [7, 2**len(units)]; bit k of a configuration's number says whether units[k] moves.
    """
    table = PRIORS[:, None]
    for unit in units:
        moves = PROBABILITIES[:, unit, None]
        table = np.concatenate([table * (1 - moves), table * moves], axis=1)
    return table


def posterior(moves: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return P(emotion | all units), float [n,7], for configurations bool [n,15]."""
    given = np.where(moves[:, np.newaxis], PROBABILITIES, 1 - PROBABILITIES).prod(axis=2)
    both = PRIORS * given
    normalised: NDArray[np.float64] = both / both.sum(axis=1, keepdims=True)
    return normalised

"""Accuracy of the ensembles in results/fer2013/readers, from what their members predicted.

    python results/ensembles.py

Then says what else was tried to join the members, on validation alone: geometric means, a share
of the other network, multinomial logistic regression on log probabilities, of `students`, where
only the borders between classes move, or of all ten models; a face is judged by a regression that
was fitted without its tenth of the faces. p is McNemar's, against `students`. At last, by how much
the log loss of `cross_fitted` on test is below that of `hard` once each model has the temperature
that fits validation.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from unmask.comparison.paired import log_loss_change, sign_flip_p
from unmask.evaluation.calibration import scaled, temperature
from unmask.evaluation.predictions import Table, read_table

FOLDER = Path(__file__).parent / "fer2013/readers/predictions"
MEMBERS = {
    "hard_ensemble": ["hard_1", "hard_2", "hard_3"],
    "students": ["cross_fitted_1", "cross_fitted_2", "cross_fitted_3"],
}
VGG = ["vgg_1", "vgg_2", "vgg_3"]
MEMBERS["both"] = [*MEMBERS["students"], *VGG]

_SPLITS = ("validation", "test")
_NEVER = 1e-6  # six decimals were kept


def main() -> None:
    """Print a line for each ensemble, and for each other way to join its members."""
    for name, members in MEMBERS.items():
        for split in _SPLITS:
            found, labels = _read(members, split)
            right = (found.mean(axis=0).argmax(axis=1) == labels).mean()
            print(f"{name}, {split}: {right:.4f}")

    students, labels = _read(MEMBERS["students"], "validation")
    vgg, _ = _read(VGG, "validation")
    others, _ = _read([*MEMBERS["hard_ensemble"], "vgg_hard_1"], "validation")
    mean, every = students.mean(axis=0), np.concatenate([students, vgg, others])
    answers = {
        "students, geometric mean": np.log(students + _NEVER).mean(axis=0).argmax(axis=1),
        **{
            f"students and {share:.0%} of vgg": (
                ((1 - share) * mean + share * vgg.mean(axis=0)).argmax(axis=1)
            )
            for share in (0.1, 0.2, 0.3, 0.4)
        },
        "students, borders moved": _fitted(mean[np.newaxis], labels),
        "all ten, regression": _fitted(every, labels),
    }
    before = mean.argmax(axis=1) == labels
    for name, answer in answers.items():
        now = answer == labels
        p = sign_flip_p(now.astype(np.int64) - before)
        print(f"{name}, validation: {now.mean():.4f}, {now.mean() - before.mean():+.4f}, p {p:.2f}")

    hard, students_apart = _calibrated(MEMBERS["hard_ensemble"]), _calibrated(MEMBERS["students"])
    change = log_loss_change(hard, students_apart)
    low, high = change["ci95"]
    print(f"calibrated, log loss on test: {change['mean']:+.4f} [{low:+.4f}, {high:+.4f}]")


def _read(members: list[str], split: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return what each member says of each face, float64 [M,N,7], and the labels, int64 [N]."""
    tables = [read_table(FOLDER / f"{member}_{split}.csv.xz") for member in members]
    found = np.stack([table["probabilities"] for table in tables])
    return found, tables[0]["label"]


def _calibrated(members: list[str]) -> list[Table]:
    """Return what each member says of test faces, at the temperature that fits validation."""
    tables = ([read_table(FOLDER / f"{m}_{s}.csv.xz") for s in _SPLITS] for m in members)
    return [scaled(test, temperature(validation)) for validation, test in tables]


def _fitted(found: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the answers, int64 [N], of regressions that were fitted on other faces."""
    inputs = np.concatenate(np.log(found + _NEVER), axis=1)
    answers: NDArray[np.int64] = cross_val_predict(
        LogisticRegression(C=0.01, max_iter=2000), inputs, labels, cv=10
    )
    return answers


if __name__ == "__main__":
    main()

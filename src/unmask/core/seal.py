"""The seal on the labels of the test split: who trains or chooses must not have seen them."""

from pathlib import Path
from typing import Any

from unmask.core.errors import UserError

TEST_LABELS = "data/test_labels.npy"
"""Where `ingest` puts the labels of the test split, and nowhere else."""


def refuse_test_labels(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse to open a file of test labels; an audit hook (PEP 578) of the Python interpreter."""
    if event == "open" and Path(str(arguments[0])).name == Path(TEST_LABELS).name:
        raise UserError(
            f"{arguments[0]}: only the audit and the evaluation may read the labels of the test "
            "split; learn from training faces, and choose by validation"
        )

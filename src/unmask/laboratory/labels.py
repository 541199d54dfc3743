"""The labels that experiments can learn from."""

from unmask.core.errors import UserError
from unmask.core.section import FILE


def refuse_soft_labels(soft: bool) -> None:
    """Raise UserError if the faces have soft labels.

    Test faces have none, and some experiments learn from test faces. It is asked before any
    reconstructor is trained for the laboratory, and again where labels are injected, since not all
    experiments need such a reconstructor.
    """
    if soft:
        raise UserError(
            f"{FILE}: data.labels: experiments of the laboratory learn from hard labels; "
            "choose fer2013 or ferplus"
        )

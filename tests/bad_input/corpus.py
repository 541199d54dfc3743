"""All malformed inputs, by what reads them, and the counts that docs/reliability.md gives."""

import bad_archives
import bad_arrays
import bad_files
import bad_folders
import bad_rows
import bad_votes
import bad_weights
import odd_tables
from cases import Case

SOURCES = (
    bad_rows.CASES + bad_files.CASES + bad_archives.CASES + bad_votes.CASES + bad_folders.CASES
)
"""What `ingest` is given."""

WEIGHTS = bad_weights.CASES
"""What `pretrained` names."""

ARRAYS = bad_arrays.CASES
"""What is in place of an earlier stage's array."""

EVIL = bad_archives.EVIL + bad_folders.EVIL + bad_weights.EVIL + ARRAYS
"""Those of them that were made to do harm."""


def counts() -> str:
    """The sentence of the page that gives the counts."""
    return (
        f"{len(SOURCES)} malformed sources, {len(WEIGHTS)} checkpoints and {len(ARRAYS)} arrays "
        f"are refused; {len(EVIL)} of them were made to do harm. "
        f"{len(odd_tables.CASES)} odd but valid files are read."
    )


def all_cases() -> list[Case]:
    return SOURCES + WEIGHTS + ARRAYS

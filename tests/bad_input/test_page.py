"""docs/reliability.md says of bad input what is tested."""

from pathlib import Path

from corpus import all_cases, counts, rows
from profiles import CASES, NIGHTLY

PAGE = (Path(__file__).resolve().parents[2] / "docs/reliability.md").read_text()
AGAIN = "renew it: PYTHONPATH=tests:src python tests/bad_input/corpus.py"


def test_page_gives_the_counts():
    assert counts() in " ".join(PAGE.split()), AGAIN
    assert f"{CASES} cases" in PAGE
    assert f"{NIGHTLY:,} cases" in PAGE


def test_page_lists_every_input_with_its_message():
    missing = [row for row in rows() if row not in PAGE.splitlines()]
    assert not missing, AGAIN


def test_no_case_stands_there_twice():
    cases = all_cases()
    assert len({case.name for case in cases}) == len(cases)

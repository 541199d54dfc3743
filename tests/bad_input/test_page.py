"""docs/reliability.md says about bad input what the tests expect."""

import re
from importlib import import_module
from pathlib import Path

import pytest
from corpus import all_cases, counts
from profiles import CASES, NIGHTLY

from unmask.core.checksum import mismatch

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs/reliability.md").read_text()
EXAMPLES = dict(re.findall(r"^\| .*tests/bad_input/(bad_\w+)\.py\) \|.*\| (.*) \|$", PAGE, re.M))


def test_page_gives_the_counts():
    assert counts() in " ".join(PAGE.split())
    assert f"{CASES} cases" in PAGE
    assert f"{NIGHTLY:,} cases" in PAGE


def test_page_links_every_file_of_the_corpus():
    assert set(EXAMPLES) == {path.stem for path in HERE.glob("bad_*.py")}


@pytest.mark.parametrize("module", EXAMPLES)
def test_every_message_on_the_page_is_one_that_is_expected(module):
    quoted = re.findall(r"`(.*?)`", EXAMPLES[module])
    assert quoted
    expected = {case.message.replace("`", "'") for case in import_module(module).CASES}
    assert set(quoted) <= expected


def test_page_gives_the_limits_that_messages_name():
    page = PAGE.replace(",", "")
    for limit in ("64 KiB", "200 times", "50000", "25000000"):
        assert limit in page
        assert any(limit in case.message for case in all_cases())


def test_page_quotes_the_message_about_a_checksum():
    assert f"`{mismatch('data/halves/upper.npy')}`".replace("`dvc repro`", "'dvc repro'") in PAGE


def test_no_case_is_there_twice():
    cases = all_cases()
    assert len({case.name for case in cases}) == len(cases)

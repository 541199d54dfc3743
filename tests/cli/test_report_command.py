"""`unmask report` as a user runs it: the page is made, and what goes wrong is said."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from dvc.repo import Repo

from unmask.cli.main import main

PIPELINE = """\
stages:
  report:
    wdir: ..
    cmd: python -c "open('report/index.html', 'w').write('a page')"
    outs: [report/index.html]
"""


@pytest.fixture
def pages(monkeypatch):
    """The addresses that a browser was asked to open."""
    opened = []
    monkeypatch.setattr(click, "launch", opened.append)
    return opened


@pytest.fixture
def small_clone(in_folder):
    """A folder with the pipeline of the report, of one stage."""
    Repo.init(no_scm=True).close()
    for folder in ("report", "stages"):
        (in_folder / folder).mkdir()
    (in_folder / "report/dvc.yaml").write_text(PIPELINE)
    (in_folder / "stages/check_params.py").touch()
    return in_folder


def test_the_page_is_made_and_opened(small_clone, pages):
    result = CliRunner().invoke(main, ["report", "--open"])
    page = small_clone / "report/index.html"
    assert (result.exit_code, result.stdout) == (0, f"{page}\n")
    assert page.read_text() == "a page"
    assert pages == [page.as_uri()]


def test_a_mistake_in_the_parameters_ends_it(small_clone, pages):
    (small_clone / "stages/check_params.py").write_text("raise SystemExit(2)")
    result = CliRunner().invoke(main, ["report", "--open"])
    assert (result.exit_code, result.stdout, pages) == (2, "", [])
    assert not (small_clone / "report/index.html").exists()


def test_outside_a_clone_one_line_says_where_to_go(in_folder, pages):
    result = CliRunner().invoke(main, ["report"])
    assert (result.exit_code, result.stdout) == (2, "")
    line = "error: no report/dvc.yaml here; run this at the top of a clone of the repository\n"
    assert result.stderr == line
    assert list(Path().iterdir()) == []

"""Calls that would let a file run code or write where it likes are not in the code."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = [
    file for folder in ("src", "stages", "benchmarks") for file in (ROOT / folder).rglob("*.py")
]
UNPICKLERS = {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


def forbidden(code):
    """Return the forbidden calls and imports of a piece of Python, as source."""
    return [ast.unparse(node) for node in ast.walk(ast.parse(code)) if _is_forbidden(node)]


def _is_forbidden(node):
    if isinstance(node, ast.Import):
        return any(alias.name in UNPICKLERS for alias in node.names)
    if isinstance(node, ast.ImportFrom):  # the error of a refused file may be caught
        return node.module in UNPICKLERS and node.names[0].name != "UnpicklingError"
    if not isinstance(node, ast.Call):
        return False
    called = ast.unparse(node.func)
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
    return (
        given.get("allow_pickle", "False") != "False"
        or called in {"yaml.load", "yaml.unsafe_load", "yaml.full_load", "eval", "exec"}
        or called.endswith((".extractall", ".extract", ".unpack_archive"))
        or (called == "torch.load" and given.get("weights_only") != "True")
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_file_can_run_code_or_write_where_it_likes(file):
    assert forbidden(file.read_text()) == []


@pytest.mark.parametrize(
    "code",
    [
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=flag)",
        "yaml.load(text, Loader=yaml.Loader)",
        "tarfile.open(path).extractall(folder)",
        "archive.extract(member)",
        "shutil.unpack_archive(path)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "import pickle",
        "from joblib import load",
        "eval(text)",
    ],
)
def test_the_check_finds_what_it_is_for(code):
    assert forbidden(code) == [code]


def test_harmless_calls_pass():
    harmless = """
import numpy as np
np.load(path, allow_pickle=False)
torch.load(path, map_location="cpu", weights_only=True)
yaml.safe_load(text)
model.eval()
"""
    assert forbidden(harmless) == []


def test_actions_are_pinned_by_commit():
    for workflow in (ROOT / ".github/workflows").glob("*.yml"):
        for line in workflow.read_text().splitlines():
            _, uses, action = line.partition("uses: ")
            if uses:
                commit = action.split("#")[0].strip().partition("@")[2]
                assert re.fullmatch("[0-9a-f]{40}", commit), f"{workflow.name}: {line.strip()}"

"""The revision that results name is the one whose code made them, or none."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from unmask.core.provenance import revision


@pytest.fixture(autouse=True)
def _own_settings(tmp_path, monkeypatch):
    """Keep the settings of whoever runs the tests out of git."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    (tmp_path / "gitconfig").write_text(
        '[user]\nname = a\nemail = a@localhost\n[protocol "file"]\nallow = always\n'
    )


def git(folder, *arguments):
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def commit(folder, name, text):
    """Commit one file and return the abbreviated commit."""
    write(folder, name, text)
    git(folder, "add", name)
    git(folder, "commit", "--quiet", "--message", name)
    return git(folder, "rev-parse", "--short=12", "HEAD")


CODE = ("src/unmask/a.py", "stages/train.py", "dvc.yaml")


@pytest.fixture
def code(tmp_path):
    """A repository whose last commits changed the code, then README.md; and the former commit."""
    folder = tmp_path / "code"
    folder.mkdir()
    git(folder, "init", "--quiet")
    for name in CODE:
        last = commit(folder, name, "1")
    commit(folder, "README.md", "1")
    commit(folder, "README.md", "2")
    return folder, last


def clone(folder, to, *options):
    git(folder.parent, "clone", "--quiet", *options, folder.as_uri(), str(to))
    return to


@pytest.mark.parametrize("name", CODE)
def test_the_last_commit_that_changed_the_code_is_named(code, name):
    folder, last = code
    assert revision(folder) == last
    newer = commit(folder, name, "2")
    commit(folder, "docs/a.md", "2")
    assert revision(folder) == newer


@pytest.mark.parametrize("setting", ["log.showSignature", "status.showUntrackedFiles", "color.ui"])
def test_settings_of_git_change_nothing(code, setting):
    folder, last = code
    git(folder, "config", setting, "always" if setting == "color.ui" else "no")
    git(folder, "config", "log.showSignature", "true")
    assert revision(folder) == last
    write(folder, "src/unmask/new.py", "")
    assert revision(folder) == f"{last}-dirty"


def test_commits_that_git_was_told_to_take_for_others_are_not_named(code):
    folder, last = code
    git(folder, "replace", "HEAD", f"{last}~2")  # where there was less code
    assert revision(folder) == last


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: write(folder, "src/unmask/a.py", "changed"),
        lambda folder: write(folder, "src/unmask/new/b.py", ""),
        lambda folder: write(folder, "stages/new.py", ""),
        lambda folder: (folder / "dvc.yaml").unlink(),
        lambda folder: git(folder, "rm", "--cached", "--quiet", "dvc.yaml"),
        lambda folder: git(folder, "mv", "stages/train.py", "stages/other.py"),
        lambda folder: write(folder, "src/unmask/ignored/b.py", ""),
        lambda folder: write(folder, "stages/local.py", ""),
    ],
)
def test_code_that_is_not_committed_is_dirty(code, change):
    folder, last = code
    write(folder, "notes.txt", "not code")
    write(folder, ".git/info/exclude", "ignored\nlocal.py\n*.pyc\n")
    write(folder, "src/unmask/ignored/a.pyc", "")
    assert revision(folder) == last
    change(folder)
    assert revision(folder) == f"{last}-dirty"


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
@pytest.mark.parametrize("name", CODE)
def test_code_at_which_git_does_not_look_has_no_revision(code, flag, name):
    folder, last = code
    git(folder, "update-index", flag, "README.md")
    assert revision(folder) == last
    git(folder, "update-index", flag, name)
    write(folder, name, "changed")
    assert revision(folder) is None


def test_a_shallow_clone_names_a_commit_only_if_it_changed_the_code(code, tmp_path):
    folder, last = code
    for depth in ("1", "2"):  # cut off between README's two commits, or at the first
        assert revision(clone(folder, tmp_path / depth, "--depth", depth)) is None
    assert revision(clone(folder, tmp_path / "3", "--depth", "3")) is None  # cut off at the code
    assert revision(clone(folder, tmp_path / "4", "--depth", "4")) == last
    assert revision(clone(folder, tmp_path / "99", "--depth", "99")) == last
    shallow = tmp_path / "1"
    newer = commit(shallow, "stages/train.py", "2")
    assert revision(shallow) == newer
    write(shallow, "dvc.yaml", "2")
    assert revision(shallow) == f"{newer}-dirty"


def test_a_partial_clone_names_the_commit_or_none_and_fetches_nothing(code, tmp_path):
    folder, last = code
    git(folder, "config", "uploadpack.allowFilter", "true")
    blobless = clone(folder, tmp_path / "blobless", "--filter=blob:none")
    treeless = clone(folder, tmp_path / "treeless", "--filter=tree:0")
    before = sorted(treeless.rglob("*.pack"))
    assert revision(blobless) == last
    assert revision(treeless) in (last, None)
    assert sorted(treeless.rglob("*.pack")) == before
    git(blobless, "mv", "stages/train.py", "stages/other.py")
    assert revision(blobless) == f"{last}-dirty"


def test_a_worktree_names_its_own_commit(code, tmp_path):
    folder, last = code
    git(folder, "worktree", "add", "--quiet", str(tmp_path / "tree"), "HEAD")
    newer = commit(folder, "dvc.yaml", "2")
    assert revision(tmp_path / "tree") == last
    assert revision(folder) == newer
    write(tmp_path / "tree", "src/unmask/a.py", "changed")
    assert revision(tmp_path / "tree") == f"{last}-dirty"


@pytest.mark.parametrize("place", ["outer/code", "outer/src", "outer/a/b", "outer/ignored/code"])
@pytest.mark.parametrize("committed", [False, True])
def test_a_folder_of_another_repository_has_no_revision(code, tmp_path, place, committed):
    folder, _ = code
    outer, inner = tmp_path / "outer", tmp_path / place
    shutil.copytree(folder, inner, ignore=shutil.ignore_patterns(".git"))
    git(outer, "init", "--quiet")
    commit(outer, ".gitignore", "ignored/\n")
    if committed:
        git(outer, "add", ".")
        git(outer, "commit", "--quiet", "--allow-empty", "--message", "all")
    assert revision(inner) is None


def test_a_submodule_names_its_own_commit(code, tmp_path):
    folder, last = code
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "--quiet")
    git(outer, "submodule", "--quiet", "add", folder.as_uri(), "code")
    assert revision(outer / "code") == last


def test_a_source_archive_has_no_revision(code, tmp_path):
    folder, _ = code
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    git(folder, "archive", "--output", str(tmp_path / "code.tar"), "HEAD")
    shutil.unpack_archive(tmp_path / "code.tar", unpacked)
    assert revision(unpacked) is None
    git(unpacked, "init", "--quiet")
    assert revision(unpacked) is None  # no commit
    commit(unpacked, "README.md", "3")
    assert revision(unpacked) is None  # none of the code


@pytest.mark.parametrize(
    "variables", [["GIT_DIR"], ["GIT_DIR", "GIT_WORK_TREE"], ["GIT_INDEX_FILE"]]
)
def test_the_repository_of_a_hook_is_not_asked(code, tmp_path, monkeypatch, variables):
    folder, last = code
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    commit(other, "src/unmask/a.py", "other")
    places = {"GIT_DIR": ".git", "GIT_WORK_TREE": ".", "GIT_INDEX_FILE": ".git/index"}
    for name in variables:
        monkeypatch.setenv(name, str(other / places[name]))
    assert revision(folder) == last
    assert revision(tmp_path) is None


def test_the_folder_in_which_a_stage_runs_does_not_matter(code, tmp_path, monkeypatch):
    folder, last = code
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    git(elsewhere, "init", "--quiet")
    commit(elsewhere, "src/b.py", "")
    for place in (elsewhere, folder / "src", tmp_path):
        monkeypatch.chdir(place)
        assert revision(folder) == last


def test_without_git_there_is_no_revision(code, tmp_path, monkeypatch):
    folder, _ = code
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert revision(folder) is None


def test_a_broken_repository_has_no_revision(code):
    folder, _ = code
    for name in ("index", "HEAD"):
        (folder / ".git" / name).write_bytes(b"broken")
        assert revision(folder) is None


def test_asking_takes_no_lock_and_writes_nothing(code):
    folder, last = code
    os.utime(folder / "dvc.yaml", (1, 1))  # which makes `git status` refresh its index
    before = (folder / ".git/index").read_bytes()
    (folder / ".git/index.lock").touch()
    assert revision(folder) == last
    assert (folder / ".git/index").read_bytes() == before


def test_the_package_asks_about_the_code_that_runs():
    root = Path(__file__).resolve().parents[1]
    assert revision() == revision(root)

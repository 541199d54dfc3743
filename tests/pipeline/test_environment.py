"""Where people run the pipeline: notebooks, containers, other disks, other Git settings."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from clone import ROOT

from nested import set_key

pytestmark = pytest.mark.slow

NOTEBOOK = {
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "MATPLOTLIBRC": "/nonexistent/matplotlibrc",
    "MPLCONFIGDIR": "/proc/nowhere",
}
STRICT = {
    "PYTHONWARNINGS": "error",
    "PYTHONOPTIMIZE": "2",
    "PYTHONHASHSEED": "7",
    "PYTHONSAFEPATH": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
THREADS = {
    "OMP_NUM_THREADS": "many",
    "OMP_WAIT_POLICY": "?",
    "KMP_AFFINITY": "?",
    "OMP_DYNAMIC": "1",
}
LOGGING = {
    "DVCLIVE_LOGLEVEL": "loud",
    "DVCLIVE_RESUME": "true",
    "DVCLIVE_OPEN": "true",
    "DVCLIVE_TEST": "true",
    "DVC_STUDIO_CLIENT_LOGLEVEL": "loud",
}
LIBRARIES = {
    "TQDM_MININTERVAL": "often",
    "TQDM_NCOLS": "wide",
    "TQDM_POSITION": "top",
    "TORCH_LOGS": "loud",
    "TORCH_DISTRIBUTED_DEBUG": "?",
    "PYTORCH_JIT": "?",
    "PANDAS_FUTURE_INFER_STRING": "?",
    "SOURCE_DATE_EPOCH": "",
}
STAGES = ["make_sample", "train_classifier baseline", "assess unet", "report"]


def stage(clone, command, environment, status=0):
    script, *arguments = command.split()
    words = [f"{name}={value}" for name, value in environment.items()]
    run = ["env", *words, "python", f"stages/{script}.py", *arguments]
    return clone.run(*run, status=status)


def test_no_environment_variable_breaks_a_stage(clone, tmp_path):
    variables = NOTEBOOK | STRICT | ASCII | THREADS | LOGGING | LIBRARIES
    # What one stage compiles, as PYTHONOPTIMIZE demands, the next ones need not.
    compiled = {"PYTHONPYCACHEPREFIX": str(tmp_path), "PYTHONDONTWRITEBYTECODE": ""}
    for command in STAGES:
        printed = stage(clone, command, variables if command == STAGES[0] else variables | compiled)
        assert "Traceback" not in printed, command


def test_no_module_on_pythonpath_stands_in_for_another(clone, tmp_path):
    for module in ("json", "csv", "random", "numpy", "pandas", "torch", "unmask"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit('the wrong one')")
    stage(clone, "train_classifier baseline", {"PYTHONPATH": f"{tmp_path}:nowhere:"})


def mark(clone, python):
    """Let the first stage say that it runs the code of this clone, and be started by `python`."""
    config = clone.path / "dvc.yaml"
    config.write_text(
        config.read_text().replace("python stages/check_params", f"{python} stages/check_params")
    )
    code = clone.path / "src/unmask/core/stage.py"
    code.write_text(f"{code.read_text()}\nprint('the code of this copy')\n")


def test_a_copy_runs_its_own_code_even_if_python_does_not_look_beside_a_script(clone):
    mark(clone, "python -I")
    assert "the code of this copy" in clone.dvc("repro", "check_params")


@pytest.mark.parametrize("backend", ["module://matplotlib_inline.backend_inline", "nosuch"])
def test_the_last_stage_draws_its_figure_whatever_the_backend(clone, backend):
    figure = clone.path / "metrics/compare.png"
    figure.unlink()
    stage(clone, "compare", {"MPLBACKEND": backend})
    assert figure.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("script", ["crop", "train_classifier", "check_params"])
def test_a_python_without_the_packages_says_so_in_one_line(reproduced, script):
    bare = [sys.executable, "-S", f"stages/{script}.py"]  # as from an IDE, or cron, without .venv
    printed = reproduced.run(*bare, status=2)
    (line,) = printed.splitlines()
    assert line.startswith(f"error: {sys.executable} lacks numpy, ")
    assert line.endswith("; run `source .venv/bin/activate` first, or use `make repro`")


def namespaces():
    allowed = subprocess.run(["unshare", "--pid", "--fork", "true"], check=False).returncode == 0
    return pytest.mark.skipif(not allowed, reason="no process namespaces may be made here")


@pytest.mark.parametrize(
    "launcher",
    [
        pytest.param("unshare --pid --fork --mount-proc python", marks=namespaces()),
        "setsid --wait ./wrap.sh",
    ],
)
def test_a_launcher_that_hides_dvc_does_not_end_the_stage(clone, launcher):
    wrap = clone.path / "wrap.sh"
    wrap.write_text('#!/bin/bash\npython "$@"\n')
    wrap.chmod(0o755)
    clone.set_params(lambda params: params["train"].update(launcher=launcher))
    printed = clone.run("dvc", "repro", "--force", "--single-item", "train_baseline")
    assert "DVC is gone" not in printed
    assert (clone.path / "models/baseline/config.json").exists()


def test_the_cache_can_be_on_another_disk_as_the_refusal_says(clone, tmp_path):
    clone.dvc("config", "--local", "cache.dir", str(tmp_path / "disk"))
    clone.dvc("config", "--local", "cache.type", "symlink")
    clone.dvc("repro", "--force", "--single-item", "crop")
    assert (clone.path / "data/halves/upper.npy").is_symlink()
    clone.dvc("repro", "--force", "--single-item", "train_baseline")


def test_a_checkout_of_git_for_windows_has_the_same_bytes(reproduced, tmp_path):
    copy = tmp_path / "checkout"
    git = ["git", "-c", "core.autocrlf=true", "clone", "--quiet", str(reproduced.path)]
    reproduced.run(*git, str(copy))
    for name in (
        "sweeps/reconstructors.sh",
        "src/unmask/cli/main.py",
        "dvc.yaml",
        "data/.gitignore",
    ):
        assert (copy / name).read_bytes() == (reproduced.path / name).read_bytes(), name
    pictures = [name for name in reproduced.run("git", "ls-files").split() if name.endswith("png")]
    for name in pictures:
        assert (copy / name).read_bytes() == (reproduced.path / name).read_bytes(), name


@pytest.mark.parametrize("how", ["add", "import-url", "add a folder"])
def test_data_of_ones_own_can_be_under_dvc(clone, tmp_path, how):
    shutil.copy(clone.path / "data/raw/sample.csv", tmp_path / "mine.csv")
    pointer = "data/raw/mine.csv.dvc"
    if how == "import-url":
        clone.dvc("import-url", str(tmp_path / "mine.csv"), "data/raw/mine.csv")
    elif how == "add":
        shutil.copy(tmp_path / "mine.csv", clone.path / "data/raw")
        clone.dvc("add", "data/raw/mine.csv")
    else:
        (clone.path / "data/raw/mine").mkdir()
        shutil.copy(tmp_path / "mine.csv", clone.path / "data/raw/mine/fer2013.csv")
        clone.dvc("add", "data/raw/mine")
        pointer = "data/raw/mine.dvc"
    clone.commit("my data")
    tracked = clone.run("git", "ls-files", "data").splitlines()
    assert pointer in tracked
    assert not [name for name in tracked if name.endswith((".csv", ".npy"))]


def test_an_experiment_elsewhere_finds_data_that_is_under_dvc(clone):
    shutil.copy(clone.path / "data/raw/sample.csv", clone.path / "data/raw/mine.csv")
    clone.dvc("add", "data/raw/mine.csv")
    clone.commit("my data")
    clone.dvc("exp", "run", "--temp", "-S", "data.source=data/raw/mine.csv", "ingest")


def test_an_experiment_elsewhere_runs_its_own_code_and_says_that_it_cannot_see_other_data(clone):
    mark(clone, "python -P")  # which does not look beside a script either
    (clone.path / "data/raw/mine").mkdir()
    setting = "data.source=data/raw/mine"
    printed = clone.dvc("exp", "run", "--temp", "-S", setting, "check_params", status=255)
    assert "the code of this copy" in printed
    (line,) = [line for line in printed.splitlines() if line.startswith("error: ")]
    missing = "no file or folder data/raw/mine in this copy"
    assert line.startswith(f"error: params.yaml: data.source: {missing}")
    assert "give its absolute path, or run `dvc add data/raw/mine`" in line
    assert "Traceback" not in printed


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("data", None, "'stages.ingest.deps' in 'dvc.yaml': Could not find 'data.source'"),
        ("train", [], "'stages.train_baseline.cmd' in 'dvc.yaml': Could not find 'train.launcher'"),
        ("recon", None, "'stages.headline.deps' in 'dvc.yaml': Could not find 'recon.model'"),
        (
            "reconstructors.unet",
            {"width": 2},
            "'stages.train_reconstructor@unet.deps' in 'dvc.yaml': "
            "Could not find 'item.objective.name'",
        ),
        ("data.source", "", "unexpected error"),
        ("evaluate.seeds", None, "unexpected error"),
    ],
)
def test_what_dvc_cannot_read_is_named_by_dvc_or_the_first_stage(edited, key, value, line):
    edited.set_params(lambda params: set_key(params, key, value))
    assert line in edited.dvc("repro", "check_params", status=255)
    printed = stage(edited, "check_params", {}, status=2)
    assert printed.startswith(f"error: params.yaml: {key}")


@pytest.mark.parametrize("target", ["repro", "report"])
@pytest.mark.parametrize(("key", "value"), [("data.source", ""), ("evaluate.seeds", None)])
def test_make_names_what_dvc_does_not(edited, key, value, target):
    edited.set_params(lambda params: set_key(params, key, value))
    (edited.path / ".venv").mkdir(exist_ok=True)
    (edited.path / ".venv/installed").touch()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    made = subprocess.run(
        ["make", target], cwd=edited.path, env=os.environ | {"PATH": path},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 2
    assert made.stderr.startswith(f"error: params.yaml: {key}")


@pytest.mark.parametrize("target", ["repro", "report"])
def test_a_folder_that_is_no_repository_is_refused_before_anything_is_installed(tmp_path, target):
    shutil.copy(ROOT / "Makefile", tmp_path)
    environment = {"PATH": os.environ["PATH"], "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}
    made = subprocess.run(
        ["make", target], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert made.returncode == 2
    assert made.stderr.startswith("error: this folder is not a Git repository; clone it or run")
    assert "dvc config --local core.no_scm true" in made.stderr.splitlines()[0]
    assert not (tmp_path / ".venv").exists()


def test_a_source_archive_runs_without_git_as_the_refusal_says(clone):
    shutil.rmtree(clone.path / ".git")
    clone.dvc("config", "--local", "core.no_scm", "true")
    clone.dvc("repro", "--single-item", "--force", "evaluate_baseline")
    made = (clone.path / "metrics/classification/baseline.json").read_text()
    assert '"revision": null' in made

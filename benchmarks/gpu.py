"""The full pipeline on a GPU, in as many goes as it takes: times, and how busy the GPU was.

    python benchmarks/gpu.py [fer2013.csv] [--minutes 10] [--work FOLDER] [--jobs 4] [--imagenet]
        [--reduced] [--without-benchmarks] [--output benchmarks/gpu.md] [--targets ...]

Runs `dvc repro` in clones of the last commit, with the larger settings of README, on the sample or
on the source that is given; then the benchmarks training, reconstructors and cuda_graph. Small
models leave most of a GPU idle, so the chains of four reconstructors run at a time.

It ends when `--minutes` are over and writes what it has. Called again with the same FOLDER and
arguments it goes on: from DVC's cache, and from the checkpoints of the trainings that it stopped.

With `--imagenet`, encoders start from published weights, which needs a network. Without CUDA,
everything runs on the CPU; `--reduced` is meant for that. The use of GPU and CPU is sampled every
second, so stages that take less have no figures.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from typing import Any

from alternate import HERE, ROOT, table
from clone import reduce
from gpu_watch import HEAD, Watch
from ruamel.yaml import YAML
from run_all import commit, made
from workspace import Deadline, Workspace, share

LARGER = {
    "train.classifier": {"epochs": 60, "patience": 10, "batch_size": 64},
    "train.reconstructor": {"epochs": 30, "patience": 10, "batch_size": 128},
    "reconstructors.cgan": {"width": 64},
    "reconstructors.cgan_resnet": {"width": 64},
    "reconstructors.cnn_deep": {"width": 64},
    "reconstructors.unet": {"width": 64, "train": {"learning_rate": 0.001}},
    "reconstructors.inception_v3": {"size": 139},
    "reconstructors.residual_attention_unet": {"width": 64},
    "reconstructors.resnet50": {"width": 32},
    "reconstructors.resnet50_deep": {"width": 32, "depth": 3},
}
CHOSEN = ("source", "imagenet", "reduced", "targets")
"""Arguments that determine the results."""

PRETRAINED = ("resnet50", "resnet50_deep", "vgg16", "inception_v3")


class State:
    """What has been done so far, in a file of the work folder.

    stages, goes: rows of the table; finished: whether the pipeline is complete; parts: sections of
    the page, by the benchmark that printed them.
    """

    def __init__(self, folder: Path, arguments: argparse.Namespace) -> None:
        self._file = folder / "state.json"
        chosen = {key: str(getattr(arguments, key)) for key in CHOSEN}
        self._run = {"commit": commit(), **chosen}
        state = json.loads(self._file.read_text()) if self._file.exists() else {}
        if state.get("run", self._run) != self._run:
            sys.exit(f"{folder}: of another commit or other arguments; take another folder")
        self.stages: list[list[str]] = state.get("stages", [])
        self.goes: list[list[str]] = state.get("goes", [])
        self.finished: bool = state.get("finished", False)
        self.parts: dict[str, str] = state.get("parts", {})

    def save(self) -> None:
        """Write the file."""
        state = {"run": self._run, "stages": self.stages, "goes": self.goes,
                 "finished": self.finished, "parts": self.parts}  # fmt: skip
        self._file.write_text(json.dumps(state))


def main(arguments: argparse.Namespace) -> None:
    """Run what is left to do until the time is over, and write the Markdown page."""
    deadline = Deadline(arguments.minutes)
    with tempfile.TemporaryDirectory() as temporary, Watch() as watch:
        folder = arguments.work or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        state = State(folder, arguments)
        if not state.finished:
            state.finished = _pipeline(folder.resolve(), arguments, deadline)
            state.stages += _stages(folder, deadline, watch)
            name = f"go {len(state.goes) + 1}, with DVC"
            state.goes.append([name, *_use(deadline.began, watch)])
            state.save()
        _write(arguments.output, state)
        alone = arguments.targets or arguments.without_benchmarks
        for words in [] if alone or not state.finished else _benchmarks(arguments):
            name = words[0].removesuffix(".py")
            if name not in state.parts and (part := _benchmark(words, deadline, watch)):
                state.parts[name] = part
                state.save()
                _write(arguments.output, state)


def _pipeline(folder: Path, arguments: argparse.Namespace, deadline: Deadline) -> bool:
    """Run the pipeline; return whether it is complete.

    DVC runs one stage per workspace at a time, so each job has its own.
    """
    first = not (folder / "clone").exists()
    clone = Workspace(folder / "clone")
    if first:
        clone.set_params(lambda params: _set(params, arguments))
    if arguments.targets:
        return clone.repro(arguments.targets, deadline, 1)
    if not clone.repro(["crop", "audit"], deadline, 1):
        return False
    jobs = [Workspace(folder / f"job{number}", clone.path) for number in range(arguments.jobs)]
    share([clone, *jobs])
    free = Queue[Workspace]()
    for job in jobs:
        free.put(job)

    def work(chain: Sequence[str]) -> bool:
        workspace = free.get()
        try:
            return workspace.repro(chain, deadline, arguments.jobs)
        finally:
            free.put(workspace)

    with ThreadPoolExecutor(arguments.jobs) as pool:
        done = list(pool.map(work, _chains(clone.path / "params.yaml")))
    share([clone, *jobs])
    return all(done) and clone.repro([], deadline, 1)


def _chains(params: Path) -> list[tuple[str, ...]]:
    """Return the stages that each job asks for; what takes no training comes last."""
    entries = YAML(typ="safe").load(params.read_text())["reconstructors"]
    names = sorted(entries, key=lambda name: entries[name]["objective"]["name"] == "closed_form")
    chains = [(f"evaluate_final@{name}", f"assess@{name}") for name in names]
    return [("evaluate_ceiling",), ("evaluate_baseline",), *chains]


def _stages(folder: Path, deadline: Deadline, watch: Watch) -> list[list[str]]:
    """Return rows for the stages that ended in this go by themselves, in order of beginning.

    Those of other pipelines make no more than an empty folder, and each job makes its own.
    """
    lines = [
        json.loads(line)
        for file in folder.glob("*.jsonl")
        for line in file.read_text().splitlines()
    ]
    ended = [
        line for line in lines
        if line.get("began", 0.0) >= deadline.began and line["ended"] <= deadline.until
        and "/" not in line["stage"]
    ]  # fmt: skip
    return [
        [line["stage"], f"{line['ended'] - line['began']:.1f}",
         *watch.between(line["began"], line["ended"])]
        for line in sorted(ended, key=lambda line: line["began"])
    ]  # fmt: skip


def _benchmark(words: list[str], deadline: Deadline, watch: Watch) -> str | None:
    """Return what a benchmark printed and how busy the machine was, or None if time was over."""
    began = time.time()
    printed = deadline.run([sys.executable, HERE / words[0], *words[1:]], ROOT, {})
    if printed is None:
        return None
    return f"{printed.strip()}\n\n{table(('seconds', *HEAD), [_use(began, watch)])}"


def _use(began: float, watch: Watch) -> list[str]:
    return [f"{time.time() - began:.1f}", *watch.between(began, time.time())]


def _set(params: dict[str, Any], arguments: argparse.Namespace) -> None:
    """Change parameters to the larger settings, or to the reduced ones."""
    if arguments.source:
        params["data"]["source"] = str(arguments.source.resolve())
        params["audit"]["remove"] = "near"
    if arguments.reduced:
        reduce(params)
        return
    for key, values in LARGER.items():
        section = params
        for part in key.split("."):
            section = section[part]
        section.update(values)
    if arguments.imagenet:
        for name in PRETRAINED:
            params["reconstructors"][name]["pretrained"] = "imagenet"


def _benchmarks(arguments: argparse.Namespace) -> list[list[str]]:
    if arguments.reduced:
        small = ["--rounds", "1", "--train", "128", "--validation", "64"]
        return [
            ["training.py", *small, "--epochs", "2"],
            ["reconstructors.py", "unet", *small],
            ["cuda_graph.py", "cnn_simple", *small],
        ]
    return [
        ["training.py", "--train", "20000"],
        ["reconstructors.py", "--train", "4096", "--validation", "512"],
        ["cuda_graph.py"],
    ]


def _device() -> str:
    code = "import torch; print(torch.cuda.is_available() and torch.cuda.get_device_name())"
    name = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()
    return "no CUDA device, so everything ran on the CPU" if name == "False" else name


def _write(path: Path, state: State) -> None:
    """Write the page as far as it goes."""
    rows = table(("stage", "seconds", *HEAD), [*state.stages, *state.goes])
    end = "" if state.finished else "\n\nThe time was over before all stages had run."
    head = f"# On a GPU\n\n{made('gpu', sys.argv[1:])}, {_device()}."
    sections = [f"## {name}\n\n{text}" for name, text in state.parts.items()]
    path.write_text("\n\n".join([head, f"## The pipeline\n\n{rows}{end}", *sections]) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", nargs="?", type=Path)
    parser.add_argument("--minutes", type=float, help="default: as long as it takes")
    parser.add_argument("--work", type=Path, help="to go on in later; default: a temporary folder")
    parser.add_argument("--jobs", type=int, default=4, help="reconstructors at a time")
    parser.add_argument("--imagenet", action="store_true")
    parser.add_argument("--reduced", action="store_true")
    parser.add_argument("--without-benchmarks", action="store_true")
    parser.add_argument("--output", type=Path, default=HERE / "gpu.md")
    parser.add_argument(
        "--targets", nargs="*", default=[], help="for `dvc repro`, without benchmarks"
    )
    main(parser.parse_args())

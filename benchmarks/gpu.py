"""The full pipeline and its benchmarks on a GPU: absolute times, and how busy the GPU was.

    python benchmarks/gpu.py [fer2013.csv] [--imagenet] [--reduced] [--output benchmarks/gpu.md]

Runs `dvc repro` in a temporary clone of the last commit, with the larger settings of README, on the
sample or on the source that is given. Then it runs the benchmarks ingest, training, reconstructors
and cuda_graph. With `--imagenet`, encoders start from published weights, which needs a network.
Without CUDA, everything runs on the CPU; `--reduced` is meant for that. The use of GPU and CPU is
sampled every second, so stages that take less have no figures. `--jobs 4` runs the chains of four
reconstructors at a time, since small models leave most of a GPU idle; stages then slow each other.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from statistics import mean
from typing import Any, NamedTuple

import psutil
from alternate import HERE, table
from clone import Clone, Timed, reduce
from ruamel.yaml import YAML
from run_all import made

LARGER = {
    "train.classifier": {"epochs": 60, "patience": 10},
    "train.reconstructor": {"epochs": 30, "patience": 10, "batch_size": 128},
    "reconstructors.cgan": {"width": 64},
    "reconstructors.cgan_resnet": {"width": 64},
    "reconstructors.cnn_deep": {"width": 64},
    "reconstructors.unet": {"width": 64},
    "reconstructors.residual_attention_unet": {"width": 64},
    "reconstructors.resnet50": {"width": 32},
    "reconstructors.resnet50_deep": {"width": 32, "depth": 3},
}
PRETRAINED = ("resnet50", "resnet50_deep", "vgg16", "inception_v3")
QUERY = ["--query-gpu=utilization.gpu,memory.used,power.draw", "--format=csv,noheader,nounits"]


class Look(NamedTuple):
    """One sample: use of the CPU in percent; use (percent), memory (MiB) and power (W) of GPUs."""

    when: float
    cpu: float
    gpu: float | None
    memory: float | None
    power: float | None


class Watch:
    """Samples the use of CPU and GPUs every second; a context manager."""

    def __init__(self) -> None:
        self.looks: list[Look] = []
        self._smi, self._over = shutil.which("nvidia-smi"), threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "Watch":
        psutil.cpu_percent()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def between(self, began: float, ended: float) -> list[str]:
        """Return mean use, peak memory and mean power of the GPUs, and mean use of the CPU."""
        looks = [look for look in self.looks if began <= look.when <= ended]
        cpu = [look.cpu for look in looks]
        gpu, memory, power = (
            [value for value in values if value is not None]
            for values in zip(*(look[2:] for look in looks), strict=True)
        ) if looks else ([], [], [])  # fmt: skip
        return [
            f"{mean(gpu):.0f}" if gpu else "",
            f"{max(memory):,.0f}" if memory else "",
            f"{mean(power):.0f}" if power else "",
            f"{mean(cpu):.0f}" if cpu else "",
        ]

    def _watch(self) -> None:
        while not self._over.wait(1.0):
            self.looks.append(Look(time.time(), psutil.cpu_percent(), *self._gpus()))

    def _gpus(self) -> tuple[float | None, float | None, float | None]:
        """Return mean use, total memory and total power of all GPUs; None each without a GPU."""
        if not self._smi:
            return None, None, None
        smi = subprocess.run([self._smi, *QUERY], capture_output=True, text=True)  # noqa: S603
        try:
            lines = [[float(word) for word in line.split(",")] for line in smi.stdout.splitlines()]
            use, memory, power = zip(*lines, strict=True)
        except ValueError:  # a figure that this GPU does not report
            return None, None, None
        return mean(use), sum(memory), sum(power)


def main(arguments: argparse.Namespace) -> None:
    """Run everything; write the Markdown page after each part."""
    parts = [f"# On a GPU\n\n{made('gpu', sys.argv[1:])}, {_device()}."]
    with tempfile.TemporaryDirectory() as name, Watch() as watch:
        clone = Clone(Path(name) / "clone")
        clone.set_params(lambda params: _set(params, arguments))
        timed = _repro(clone, arguments.targets, arguments.jobs)
        parts.append(_pipeline(timed, watch))
        _write(arguments.output, parts)
        for words in [] if arguments.targets else _benchmarks(arguments):
            began = time.time()
            printed = subprocess.run(  # noqa: S603, no shell
                [sys.executable, HERE / words[0], *words[1:]], check=True, stdout=subprocess.PIPE,
                text=True,
            ).stdout  # fmt: skip
            use = _use(began, time.time(), watch)
            parts.append(f"## {words[0].removesuffix('.py')}\n\n{printed.strip()}\n\n{use}")
            _write(arguments.output, parts)


def _repro(clone: Clone, targets: list[str], jobs: int) -> Timed:
    """Run the pipeline; several jobs run the chains of as many reconstructors at a time.

    DVC runs one stage per workspace at a time, so each job has its own; all share a cache.
    """
    if jobs == 1 or targets:
        return clone.dvc("repro", *targets)
    params = (clone.path / "params.yaml").read_text()
    names = list(YAML(typ="safe").load(params)["reconstructors"])
    runs = [clone.dvc("repro", "crop")]
    free = Queue[Clone]()
    for number in range(jobs):
        free.put(clone.again(f"job{number}"))

    def work(*targets: str) -> Timed:
        workspace = free.get()
        try:
            return workspace.dvc("repro", *targets)
        finally:
            free.put(workspace)

    began = time.perf_counter()
    with ThreadPoolExecutor(jobs) as pool:
        chains = [(f"evaluate_final@{name}", f"assess@{name}") for name in names]
        runs += pool.map(
            lambda chain: work(*chain), [("evaluate_baseline",), ("evaluate_ceiling",), *chains]
        )
    seconds = runs[0].seconds + time.perf_counter() - began
    runs.append(clone.dvc("repro"))
    stages = sorted(
        {stage for timed in runs for stage in timed.stages}, key=lambda stage: stage.began
    )
    return Timed(seconds + runs[-1].seconds, stages)


HEAD = ("GPU, %", "peak GPU memory, MiB", "GPU power, W", "CPU, %")


def _pipeline(timed: Timed, watch: Watch) -> str:
    rows = [
        (stage.name, f"{stage.ended - stage.began:.1f}", *watch.between(stage.began, stage.ended))
        for stage in timed.stages
    ]
    began, ended = timed.stages[0].began, timed.stages[-1].ended
    rows.append(("total, with DVC", f"{timed.seconds:.1f}", *watch.between(began, ended)))
    return f"## The pipeline\n\n{table(('stage', 'seconds', *HEAD), rows)}"


def _use(began: float, ended: float, watch: Watch) -> str:
    return table(("seconds", *HEAD), [(f"{ended - began:.0f}", *watch.between(began, ended))])


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
    source = [str(arguments.source)] if arguments.source else []
    if arguments.reduced:
        small = ["--rounds", "1", "--train", "128", "--validation", "64"]
        return [
            ["ingest.py", *(source or ["--faces", "1000"]), "--rounds", "1"],
            ["training.py", *small, "--epochs", "2"],
            ["reconstructors.py", "unet", *small],
            ["cuda_graph.py", "cnn_simple", *small],
        ]
    return [
        ["ingest.py", *source],
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


def _write(path: Path, parts: list[str]) -> None:
    path.write_text("\n\n".join(parts) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", nargs="?", type=Path)
    parser.add_argument("--imagenet", action="store_true")
    parser.add_argument("--reduced", action="store_true")
    parser.add_argument("--jobs", type=int, default=1, help="reconstructors at a time")
    parser.add_argument("--output", type=Path, default=HERE / "gpu.md")
    parser.add_argument(
        "--targets", nargs="*", default=[], help="for `dvc repro`, without benchmarks"
    )
    main(parser.parse_args())

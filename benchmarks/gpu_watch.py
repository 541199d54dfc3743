"""How busy CPU and GPUs are, sampled every second."""

import shutil
import subprocess
import threading
import time
from statistics import mean
from typing import NamedTuple

import psutil

HEAD = ("GPU, %", "peak GPU memory, MiB", "GPU power, W", "CPU, %")
"""What `Watch.between` returns."""

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

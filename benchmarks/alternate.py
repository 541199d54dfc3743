"""What the benchmarks share: sides that take turns, watched child processes, medians, tables.

It imports only the standard library: until a child starts its own program, the kernel counts this
process's memory as the child's.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple, TypeVar

ROOT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).resolve().parent

MIB, GIB = 1 << 20, 1 << 30
_SECONDS_BETWEEN_SAMPLES = 0.05

T = TypeVar("T")


class Child(NamedTuple):
    """What was measured of a child process.

    figures: what it printed as JSON on its last line.
    seconds: from its start to its end; busy: CPU seconds of all its threads, which depend less on
        what else the machine is doing.
    peak: most bytes resident; own: most bytes resident without the pages of mapped files, which the
        kernel can drop when others need memory (sampled; 0 if there is no /proc).
    """

    figures: dict[str, float]
    seconds: float
    busy: float
    peak: int
    own: int


def run(
    command: Sequence[str | Path],
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Child:
    """Run a command and watch its memory; `figures` is its last line, if that is JSON.

    Raises SystemExit with everything it printed if it fails.
    """
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603, no shell
        list(map(str, command)), cwd=folder, env=os.environ | dict(environment or {}),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    watch = _Watch(process.pid)
    errors: list[str] = []
    # Both pipes are read at the same time, or a child that fills one would wait forever.
    reader = threading.Thread(target=lambda: errors.append(process.stderr.read()))  # type: ignore[union-attr]
    reader.start()
    printed = process.stdout.read()  # type: ignore[union-attr]
    reader.join()
    # Unlike `subprocess`, this gives the memory of this one child.
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    if process.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{printed}{''.join(errors)}")
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    busy = usage.ru_utime + usage.ru_stime
    return Child(_last_line(printed), seconds, busy, peak, watch.end())


def alternate(sides: Mapping[str, Callable[[int], T]], rounds: int) -> dict[str, list[T]]:
    """Give each side a turn in every round; return each side's results, round by round.

    Every other round runs backwards, so that no side always follows the same one. A side is called
    with the number of the round.
    """
    found: dict[str, list[T]] = {name: [] for name in sides}
    for number in range(rounds):
        for name in list(sides)[:: -1 if number % 2 else 1]:
            print(f"round {number + 1} of {rounds}: {name}", file=sys.stderr)
            found[name].append(sides[name](number))
    return found


def spread(values: Sequence[float], style: str = ".1f") -> str:
    """Return the median and, if there are several values, the minimum and the maximum."""
    middle = format(median(values), style)
    if len(values) == 1:
        return middle
    return f"{middle} ({format(min(values), style)} to {format(max(values), style)})"


def ratios(first: Sequence[float], second: Sequence[float]) -> list[float]:
    """Return the ratios of values measured in the same round."""
    return [a / b for a, b in zip(first, second, strict=True)]


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _last_line(printed: str) -> dict[str, float]:
    try:
        value = json.loads((printed.splitlines() or [""])[-1])
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


class _Watch:
    """Samples a process's memory until it is told to end."""

    def __init__(self, pid: int) -> None:
        self._status, self._most, self._over = Path(f"/proc/{pid}/status"), 0, threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def end(self) -> int:
        """Stop, and return the most bytes that were the process's own."""
        self._over.set()
        self._thread.join()
        return self._most

    def _look(self) -> None:
        while not self._over.wait(_SECONDS_BETWEEN_SAMPLES):
            try:
                lines = self._status.read_text().splitlines()
            except OSError:
                return
            own = [int(line.split()[1]) for line in lines if line.startswith("RssAnon")]
            self._most = max([self._most, *(1024 * kib for kib in own)])

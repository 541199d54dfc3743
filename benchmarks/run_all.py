"""Run the benchmarks and write what they print into benchmarks/results.md.

    python benchmarks/run_all.py [NAME ...] [-- ARGUMENT ...]

With names, only these run, and the other sections stay as they are. Arguments after `--` are passed
to the scripts.
"""

import os
import platform
import re
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

from alternate import GIB, HERE, ROOT

BENCHMARKS = {
    "ingest": "Ingest",
    "training": "Training of the paper's CNN",
    "bound": "Training against the limit of the processor",
    "reconstructors": "Training of the reconstructors",
    "pipeline": "The whole pipeline",
    "scaling": "Growth with the number of faces",
}
HEAD = """\
# Benchmarks

Written by `make bench`. The sides of a comparison take turns in one run; figures are the median
over the rounds, with the minimum and the maximum in brackets. The docstring of each script says
what is measured.
"""


def main(names: list[str], extra: list[str], path: Path = HERE / "results.md") -> None:
    """Run the benchmarks one after another, and write the page after each."""
    for name in names or BENCHMARKS:
        command = [sys.executable, HERE / f"{name}.py", *extra]
        printed = subprocess.run(  # noqa: S603, no shell
            command, check=True, stdout=subprocess.PIPE, text=True
        ).stdout
        sections = _sections(path) | {name: f"{made(name, extra)}.\n\n{printed.strip()}\n"}
        texts = [f"## {BENCHMARKS[n]}\n\n{sections[n]}" for n in BENCHMARKS if n in sections]
        path.write_text("\n".join([HEAD, *texts]))


def made(name: str, words: list[str]) -> str:
    """Return the command, the date, the commit and the machine, in one line."""
    names = [Path(word).name if Path(word).is_absolute() else word for word in words]
    call = " ".join(["python", f"benchmarks/{name}.py", *names])
    return f"`{call}`, {time.strftime('%Y-%m-%d')}, {_machine()}"


def commit(revision: str = "HEAD") -> str:
    """Return the short hash of a revision, which a clone knows too, unlike a branch's name."""
    command = ["git", "rev-parse", "--short", f"{revision}^{{commit}}"]
    return subprocess.run(  # noqa: S603
        command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()


def _machine() -> str:
    processors = Path("/proc/cpuinfo")
    found = processors.exists() and re.search(r"model name\s*: (.+)", processors.read_text())
    name = found[1] if found else platform.processor() or platform.machine()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    return (
        f"commit {commit()}, {os.cpu_count()} processors ({name}), {memory:.0f} GiB, "
        f"Python {platform.python_version()}, PyTorch {version('torch')}"
    )


def _sections(path: Path) -> dict[str, str]:
    """Return the sections that the page already has, by benchmark."""
    if not path.exists():
        return {}
    names = {title: name for name, title in BENCHMARKS.items()}
    parts = re.split(r"^## (.+)\n\n", path.read_text(), flags=re.MULTILINE)[1:]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return {names[title]: f"{text.strip()}\n" for title, text in pairs}


if __name__ == "__main__":
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    main(words[:cut], words[cut + 1 :])

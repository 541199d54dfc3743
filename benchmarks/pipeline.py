"""The whole pipeline on the sample: what its runs take, and where the time of the first one goes.

    python benchmarks/pipeline.py [--reduced] [--rounds 3] [--before REVISION] [TARGET ...]

In a temporary clone of the last commit: `dvc repro`; `dvc exp run` with a new dropout of one
reconstructor in each round, and with another one for the headline; `dvc repro` when nothing has
changed. A stage lasts from the start of its process to its end; the rest is DVC's. Of a stage's
processor seconds, `imports` is its start-up, from the interpreter on, `ending` what the interpreter
cleans up at the end, and `dvc` what DVC does until the next stage starts. With `--before`, a clone
of that revision takes turns with it, in the same environment. With `--reduced`, a small sample and
two reconstructors; with targets, only what these need.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import yaml
from alternate import ROOT, alternate, ratios, run, spread, table
from clone import SHARES, Clone, Stage, Timed
from run_all import commit

CHANGED = "reconstructors.unet.dropout"
FIRST = "`dvc repro`, the first time"
HELP = ["stages/crop.py", "--help"]
RUNS: dict[str, Callable[[Clone, int], list[str]]] = {
    FIRST: lambda *_: ["repro"],
    f"`dvc exp run -S {CHANGED}=...`": lambda _, number: (
        ["exp", "run", "-S", f"{CHANGED}={0.21 + number / 100:.2f}"]
    ),
    "`dvc exp run -S recon.model=...`": lambda clone, number: (
        ["exp", "run", "-S", f"recon.model={_another(clone, number)}"]
    ),
    "`dvc repro`, nothing to do": lambda *_: ["repro"],
}
LEAST = 0.05
"""Seconds below which a ratio says nothing."""


def main(reduced: bool, rounds: int, before: str, targets: list[str]) -> None:
    """Print a table of runs, and one of the first run's stages."""
    sides = {"before": commit(before), "after": commit()} if before else {"now": commit()}
    with tempfile.TemporaryDirectory() as name:
        # Each has a folder, and with it a cache, of its own.
        clones = {s: Clone(Path(name) / s / "clone", revision=sides[s]) for s in sides}
        for clone in clones.values() if reduced else ():
            clone.reduce()
        runs = {}
        for kind, words in RUNS.items():
            print(kind, file=sys.stderr)
            calls = {s: partial(_run, clone, words, targets) for s, clone in clones.items()}
            runs[kind] = alternate(calls, 1 if kind == FIRST else rounds)
    print(", ".join(f"{side}: {name}" for side, name in sides.items()), end="; ")
    print(f"{rounds} rounds, the first run only once: median (minimum to maximum)\n")
    print(runs_table(runs))
    print("\nThe first run by stage; processor seconds, per stage", end="")
    print(f"{', in brackets before / after' if before else ''}\n")
    print(stages_table({side: timed for side, [timed] in runs[FIRST].items()}))
    seconds = [run([sys.executable, *HELP], ROOT).seconds for _ in range(max(3, rounds))]
    print(f"\n`python {' '.join(HELP)}`: {spread(seconds, '.2f')} s")


def _run(
    clone: Clone, words: Callable[[Clone, int], list[str]], targets: list[str], number: int
) -> Timed:
    return clone.dvc(*words(clone, number), *targets)


def _another(clone: Clone, number: int) -> str:
    """Return a reconstructor that has not had the headline yet, and VGG16 in the first round."""
    params = yaml.safe_load((clone.path / "params.yaml").read_text())
    names = sorted(params["reconstructors"], key=lambda name: (name != "vgg16", name == "unet"))
    return names[number % len(names)]


def runs_table(runs: Mapping[str, Mapping[str, list[Timed]]]) -> str:
    """Return a table with a line for each kind of run and side."""
    head = ("run", "", "stages", "seconds", "processor seconds", "cores busy", "seconds in stages",
            "overhead, seconds", "headline after, seconds", "times faster")  # fmt: skip
    return table(
        head, [(kind, *row) for kind, sides in runs.items() for row in _rows(sides, kind == FIRST)]
    )


def _rows(sides: Mapping[str, list[Timed]], first: bool) -> list[tuple[str, ...]]:
    rows = []
    for side, runs in sides.items():
        seconds = [timed.seconds for timed in runs]
        busy = [timed.processor / timed.seconds / (os.cpu_count() or 1) for timed in runs]
        earlier = [timed.seconds for timed in sides["before"]] if side == "after" else []
        rows.append(
            (
                side,
                spread([len(timed.stages) for timed in runs], ".0f"),
                spread(seconds),
                spread([timed.processor for timed in runs]),
                spread(busy, ".0%"),
                spread([timed.within for timed in runs]),
                spread([timed.seconds - timed.within for timed in runs]),
                _headline(runs[0]) if first else "",
                spread(ratios(earlier, seconds), ".2f") if earlier else "",
            )
        )
    return rows


def _headline(timed: Timed) -> str:
    """Return the seconds from the first stage's start until the headline's stage has ended."""
    ended = [stage.ended for stage in timed.stages if stage.name == "headline"]
    return f"{ended[0] - timed.stages[0].began:.1f}" if ended else ""


def stages_table(sides: Mapping[str, Timed]) -> str:
    """Return a table with a line for each kind of stage and side; the last has their sums."""
    kinds = {_kind(stage): None for timed in sides.values() for stage in timed.stages}
    rows: list[tuple[object, ...]] = []
    for kind in kinds:
        numbers = {s: sum(_kind(stage) == kind for stage in t.stages) for s, t in sides.items()}
        means = {
            s: [total / number for total in _sums(sides[s], kind)]
            for s, number in numbers.items()
            if number
        }
        rows += [(kind, s, numbers[s], *_cells(means, s)) for s in means]
    sums = {s: _sums(timed) for s, timed in sides.items()}
    rows += [("sum, with DVC's start", s, len(sides[s].stages), *_cells(sums, s)) for s in sums]
    return table(("stage", "", "number", "seconds", *SHARES, "all"), rows)


def _kind(stage: Stage) -> str:
    return stage.name.partition("@")[0]


def _sums(timed: Timed, kind: str = "") -> list[float]:
    """Return seconds, processor seconds by SHARES and their sum, of a kind or of the whole run."""
    stages = [stage for stage in timed.stages if not kind or _kind(stage) == kind]
    shares = [sum(getattr(stage, share) for stage in stages) for share in SHARES]
    if not kind:
        shares[-1] += timed.starting
    return [sum(stage.ended - stage.began for stage in stages), *shares, sum(shares)]


def _cells(sides: Mapping[str, list[float]], side: str) -> list[str]:
    cells = [f"{value:.2f}" for value in sides[side]]
    if side != "after" or "before" not in sides:
        return cells
    pairs = zip(cells, sides["before"], sides[side], strict=True)
    return [f"{c} ({b / a:.1f})" if min(b, a) >= LEAST else c for c, b, a in pairs]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--reduced", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--before", metavar="REVISION", default="")
    arguments = parser.parse_args()
    main(arguments.reduced, arguments.rounds, arguments.before, arguments.targets)

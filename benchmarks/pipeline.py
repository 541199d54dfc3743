"""The whole pipeline on the sample: the first run, one changed parameter, nothing to do.

    python benchmarks/pipeline.py [--reduced] [--rounds 3] [TARGET ...]

In a temporary clone of the last commit: `dvc repro`; `dvc exp run` with a new dropout of one
reconstructor in each round; `dvc repro` when nothing has changed. Each is compared with the time
that its stages took, from the start of their processes to the end: the rest is DVC's overhead.
With `--reduced`, a small sample and two reconstructors; with targets, only what these need.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from alternate import ROOT, alternate, run, spread, table
from clone import Clone, Timed, reduce

CHANGED = "reconstructors.unet.dropout"
HELP = ["stages/crop.py", "--help"]


def main(reduced: bool, rounds: int, targets: list[str]) -> None:
    """Print a Markdown table."""
    with tempfile.TemporaryDirectory() as name:
        clone = Clone(Path(name) / "clone")
        if reduced:
            clone.set_params(reduce)
        first = clone.dvc("repro", *targets)
        again = alternate(
            {
                "changed": lambda number: clone.dvc(
                    "exp", "run", "-S", f"{CHANGED}={0.21 + number / 100:.2f}", *targets
                ),
                # In rounds that run backwards, the last change is still in place: nothing to do.
                "nothing": lambda number: clone.dvc("repro", *targets),
            },
            rounds,
        )
    rows = [
        _row("`dvc repro`, the first time", [first]),
        _row(f"`dvc exp run -S {CHANGED}=...`", again["changed"]),
        _row("`dvc repro`, nothing to do", again["nothing"]),
    ]
    head = ("run", "stages", "seconds", "seconds in stages", "ratio", "overhead, seconds")
    print(f"{rounds} rounds, the first run only once: median (minimum to maximum)\n")
    print(table(head, rows))
    seconds = [run([sys.executable, *HELP], ROOT).seconds for _ in range(max(3, rounds))]
    print(f"\n`python {' '.join(HELP)}`: {spread(seconds, '.2f')} s")


def _row(name: str, runs: list[Timed]) -> tuple[str, ...]:
    ratio = spread([r.seconds / r.within for r in runs], ".2f") if runs[0].stages else ""
    return (
        name,
        spread([len(r.stages) for r in runs], ".0f"),
        spread([r.seconds for r in runs]),
        spread([r.within for r in runs]),
        ratio,
        spread([r.seconds - r.within for r in runs]),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--reduced", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    main(arguments.reduced, arguments.rounds, arguments.targets)

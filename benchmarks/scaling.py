"""Time and memory of the first stages as the number of faces grows.

    python benchmarks/scaling.py [FACES ...] [--rounds 1] [--near]

For each number of faces (10,000, 35,887, 200,000 and 1,000,000 without any), writes a CSV of random
pixels and runs the stages on it as DVC would, each a process of its own: ingest, audit, crop, one
epoch of the baseline, and a reconstructor in closed form, trained and run. All other parameters are
those of params.yaml; with `--near`, the audit also looks for near-duplicates.

Peak memory is what was resident at most, pages of the arrays' files included, which the kernel
takes back when others need memory; the process's own memory is without those. A million faces need
15 GB of disk, in the folder for temporary files.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from alternate import GIB, ROOT, Child, run, spread, table

sys.path.insert(0, str(ROOT / "src"))

COUNTS = [10_000, 35_887, 200_000, 1_000_000]
LIMIT = 4 * GIB
RECONSTRUCTOR = "mean_face"
STAGES = {
    "ingest": ["ingest"],
    "audit": ["audit"],
    "crop": ["crop"],
    "train_baseline, one epoch": ["train_baseline"],
    f"train_reconstructor {RECONSTRUCTOR}": ["train_reconstructor", RECONSTRUCTOR],
    f"reconstruct {RECONSTRUCTOR}": ["reconstruct", RECONSTRUCTOR],
}


def main(counts: list[int], rounds: int, only: list[str], near: bool) -> None:
    """Print a Markdown table, and whether all stayed within the limit."""
    stages = {name: words for name, words in STAGES.items() if not only or words[0] in only}
    found: dict[tuple[str, int], list[Child]] = {}
    for count in counts:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            _prepare(folder, count, near)
            for number in range(rounds):
                for stage, (script, *words) in stages.items():
                    print(f"{count:,} faces, round {number + 1}: {stage}", file=sys.stderr)
                    child = run([sys.executable, ROOT / "stages" / f"{script}.py", *words], folder)
                    found.setdefault((stage, count), []).append(child)
    rows = [_row(stage, count, found[stage, count], found) for stage in stages for count in counts]
    head = (
        "stage", "faces", "seconds", "microseconds a face", "peak MiB", "of its own, MiB",
        "time grows by", "faces by",
    )  # fmt: skip
    print(f"{rounds} rounds: median (least to greatest)\n\n{table(head, rows)}\n")
    most = max((child.peak, key) for key, children in found.items() for child in children)
    verdict = "stays within" if most[0] <= LIMIT else "does not stay within"
    stage, count = most[1]
    print(
        f"The most that was resident: {most[0] / GIB:.2f} GiB ({stage}, {count:,} faces). "
        f"It {verdict} {LIMIT // GIB} GiB."
    )


def _row(
    stage: str, count: int, children: list[Child], found: dict[tuple[str, int], list[Child]]
) -> list[object]:
    """Return a line of the table; growth is against the next smaller number of faces."""
    seconds = [child.seconds for child in children]
    smaller = max((n for s, n in found if s == stage and n < count), default=None)
    growth = ["", ""]
    if smaller:
        before = [child.seconds for child in found[stage, smaller]]
        growth = [f"{min(seconds) / min(before):.1f}", f"{count / smaller:.1f}"]
    return [
        stage,
        f"{count:,}",
        spread(seconds),
        spread([1e6 * s / count for s in seconds], ",.0f"),
        spread([child.peak / 2**20 for child in children], ",.0f"),
        spread([child.own / 2**20 for child in children], ",.0f"),
        *growth,
    ]


def _prepare(folder: Path, count: int, near: bool) -> None:
    """Write the source, and parameters that name it."""
    from random_faces import write_csv
    from ruamel.yaml import YAML

    shutil.copy(ROOT / "params.yaml", folder)
    yaml = YAML()
    params = yaml.load(folder / "params.yaml")
    source = folder / "faces.csv"
    params["data"]["source"] = str(source)
    params["train"]["classifier"]["epochs"] = 1
    if near:
        params["audit"]["remove"] = "near"
    yaml.dump(params, folder / "params.yaml")
    write_csv(source, count)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", nargs="*", type=int, default=COUNTS)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--stages", nargs="*", default=[], help="of the first stages, only these")
    parser.add_argument("--near", action="store_true")
    arguments = parser.parse_args()
    main(arguments.faces, arguments.rounds, arguments.stages, arguments.near)

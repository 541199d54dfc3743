"""Time and memory of the first stages as the number of faces grows.

    python benchmarks/scaling.py [FACES ...] [--rounds 1] [--near]

For each number of faces (default: 10,000, 35,887, 200,000 and 1,000,000), writes a CSV of random
pixels and runs the stages on it as DVC would, each as its own process: ingest, audit, place, crop,
training and running a reconstructor in closed form, and one epoch of the baseline. The classifier
is trained with batches of 128; all other parameters are those of params.yaml. With `--near`, the
audit also looks for near-duplicates.

Peak memory is the most that was resident, including the mapped pages of the arrays' files, which
the kernel takes back when others need memory; own memory is without those. A million faces need
15 GB of disk in the folder for temporary files.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median

from alternate import GIB, MIB, ROOT, Child, run, spread, table

sys.path.insert(0, str(ROOT / "src"))

COUNTS = [10_000, 35_887, 200_000, 1_000_000]
LIMIT = 4 * GIB
RECONSTRUCTOR = "mean_face"
STAGES = {
    "ingest": ["ingest"],
    "audit": ["audit"],
    "place": ["place"],
    "crop": ["crop"],
    f"train_reconstructor {RECONSTRUCTOR}": ["train_reconstructor", RECONSTRUCTOR],
    f"reconstruct {RECONSTRUCTOR}": ["reconstruct", RECONSTRUCTOR],
    "train_baseline, one epoch": ["train_classifier", "baseline"],
}


Found = dict[tuple[str, int], list[Child]]


def main(counts: list[int], rounds: int, only: list[str], near: bool) -> None:
    """Print a Markdown table, and whether memory stayed within the limit."""
    stages = {name: words for name, words in STAGES.items() if not only or words[0] in only}
    found: Found = {}
    try:
        for count in counts:
            _measure(stages, count, rounds, near, found)
    except KeyboardInterrupt:
        print("Interrupted; these are the measurements so far.\n")
    rows = [_row(*key, found) for key in sorted(found, key=lambda key: list(stages).index(key[0]))]
    head = (
        "stage", "faces", "seconds", "CPU seconds", "CPU microseconds per face",
        "CPU growth", "growth in faces", "peak MiB", "own peak MiB",
    )  # fmt: skip
    print(f"{rounds} rounds: median (minimum to maximum)\n\n{table(head, rows)}\n")
    peak, (stage, count) = max((c.peak, key) for key, children in found.items() for c in children)
    print(
        f"Peak memory is {peak / GIB:.2f} GiB ({stage}, {count:,} faces); "
        f"it {'stays' if peak <= LIMIT else 'does not stay'} within {LIMIT // GIB} GiB."
    )


def _measure(
    stages: dict[str, list[str]], count: int, rounds: int, near: bool, found: Found
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _prepare(folder, count, near)
        for _ in range(rounds):
            for stage, (script, *words) in stages.items():
                child = run([sys.executable, ROOT / "stages" / f"{script}.py", *words], folder)
                found.setdefault((stage, count), []).append(child)
                print(
                    f"{count:,} faces: {stage}: {child.seconds:.1f} s, {child.busy:.1f} CPU s, "
                    f"{child.peak / GIB:.2f} GiB, {child.own / GIB:.2f} GiB of them its own",
                    file=sys.stderr,
                )


def _row(stage: str, count: int, found: Found) -> list[str]:
    """Return a row of the table; growth is from the next smaller number of faces."""
    children = found[stage, count]
    busy = [child.busy for child in children]
    smaller = max((n for s, n in found if s == stage and n < count), default=None)
    growth = ["", ""]
    if smaller:
        before = median(child.busy for child in found[stage, smaller])
        growth = [f"{median(busy) / before:.1f}", f"{count / smaller:.1f}"]
    return [
        stage,
        f"{count:,}",
        spread([child.seconds for child in children]),
        spread(busy),
        spread([1e6 * seconds / count for seconds in busy], ",.0f"),
        *growth,
        spread([child.peak / MIB for child in children], ",.0f"),
        spread([child.own / MIB for child in children], ",.0f"),
    ]


def _prepare(folder: Path, count: int, near: bool) -> None:
    """Write the source, and a params.yaml that names it."""
    from random_faces import write_csv
    from ruamel.yaml import YAML

    shutil.copy(ROOT / "params.yaml", folder)
    editor = YAML()
    params = editor.load(folder / "params.yaml")
    source = folder / "faces.csv"
    params["data"]["source"] = str(source)
    params["train"]["classifier"].update({"epochs": 1, "batch_size": 128})
    if near:
        params["audit"]["remove"] = "near"
    editor.dump(params, folder / "params.yaml")
    write_csv(source, count)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", nargs="*", type=int, default=COUNTS)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--stages", nargs="*", default=[], help="scripts in stages/; default: all")
    parser.add_argument("--near", action="store_true")
    arguments = parser.parse_args()
    main(arguments.faces, arguments.rounds, arguments.stages, arguments.near)

"""Draw who reads how many of FER2013's test faces right: results/fer2013/readers/peers.png.

    python results/draw_readers.py

From peers.md, which benchmarks/peers.py prints, cleaned.json, and the paper's CNN in ../cleaned.
"""

import json
import re
from pathlib import Path

from matplotlib.figure import Figure

HERE = Path(__file__).parent / "fer2013"


def main() -> None:
    """Draw the figure."""
    rows = [
        line.strip("| ").split(" | ")
        for line in (HERE / "readers/peers.md").read_text().splitlines()
    ]
    peers = {(row[0], row[1]): row[2] for row in rows if len(row) > 2}
    ours = json.loads((HERE / "readers/cleaned.json").read_text())
    baseline = json.loads((HERE / "cleaned/metrics/classification/baseline.json").read_text())

    def peer(*key: str) -> list[float]:
        return [float(number) for number in re.findall(r"[0-9.]+", peers[key])]

    def reader(test: dict) -> list[float]:
        return [100 * value for value in (test["accuracy"], *test["ci95"])]

    shown = {
        "fer 25.10.3, grey below": (peer("`fer` 25.10.3", "grey below"), "C3"),
        "the paper's CNN": (reader(baseline["test"]), "C0"),
        "strong network, labels alone": (reader(ours["hard"]["test"]), "C0"),
        "the same, taught by the whole face": (reader(ours["cross_fitted"]["test"]), "C0"),
        "one person, whole face": (peer("one of them", "whole face"), "grey"),
        "ten people, whole face": (peer("ten people, the most votes", "whole face"), "grey"),
        "fer 25.10.3, whole face": (peer("`fer` 25.10.3", "whole face"), "grey"),
        "the teacher, whole face": (reader(ours["whole"]["test"]), "grey"),
    }
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.subplots()
    for height, (middle_and_ends, colour) in enumerate(reversed(shown.values())):
        middle, *ends = middle_and_ends
        axes.plot(ends, [height, height], color=colour, linewidth=2)
        axes.plot(middle, height, "o", color=colour)
        axes.annotate(f"{middle:.1f}", (ends[1] + 0.5, height), va="center", fontsize=8)
    axes.set_yticks(range(len(shown)), list(shown)[::-1])
    axes.set_xlabel("test faces of FER2013 read right, %, with 95 % interval")
    axes.set_xlim(20, 72)
    axes.set_title("Blue and red see the upper half, grey sees the whole face", fontsize=9)
    figure.savefig(HERE / "readers/peers.png", dpi=130)


if __name__ == "__main__":
    main()

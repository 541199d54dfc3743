"""Stop `dvc repro` at random moments in all stages, and compare what it makes in the end."""

import itertools
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path

import psutil
import yaml
from clone import Clone, lock
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from voluptuous import Invalid

SECONDS_TO_END = 10.0
POLL = 0.05
WAYS = ("Ctrl-C", "DVC killed", "all killed")


def torture_pipeline(folder: Path, kills: int, target: list[str], draw: random.Random) -> int:
    """Print two Markdown tables; return how many things went wrong."""
    # In the background Ctrl-C is ignored, and DVC would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    expected, tortured = Clone.make(folder / "expected"), Clone.make(folder / "tortured")
    seconds = _undisturbed(expected, target)
    # In order, since finished stages stay and each run starts where the last one was stopped.
    moments = sorted(draw.sample(range(len(seconds)), min(kills, len(seconds))))
    ways = [WAYS[number % len(WAYS)] for number in range(len(moments))]
    draw.shuffle(ways)
    stopped: dict[str, list[float]] = {way: [] for way in WAYS}
    hit: set[str] = set()
    orphans = fixed = 0
    for moment, way in zip(moments, ways, strict=True):
        fixed += _fix(tortured)
        dvc = tortured.start("dvc", "repro", *target)
        stage = _wait_for(dvc, list(seconds)[moment:])
        time.sleep(draw.uniform(0, seconds.get(stage, 0)))
        running = _children(dvc)
        stages = _stages(running) & set(seconds)
        if dvc.poll() is None:
            hit |= stages
            took, alive = _stop(dvc, running, way)
            stopped[way].append(took)
            orphans += len(alive)
            where = ", ".join(sorted(stages)) or "DVC"
            print(f"{way} in {where}: {took:.1f} s", *alive, sep="\nalive: ", file=sys.stderr)
        dvc.communicate()
    fixed += _fix(tortured)
    tortured.dvc("repro", *target)
    made, outs = _outs(tortured), _outs(expected)
    differ = [name for name, checksum in outs.items() if made.get(name) != checksum]
    left = [str(path) for path in tortured.path.rglob(".*.tmp") if ".git" not in path.parts]
    print(
        "| stopped | times | stages hit | wrong artefacts | orphans | temporary files "
        "| DVC files fixed |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        f"| `dvc repro {' '.join(target)}` | {sum(map(len, stopped.values()))} "
        f"| {len(hit)} of {len(seconds)} | {len(differ)} of {len(outs)} | {orphans} | {len(left)} "
        f"| {fixed} |\n\n"
        "| stopped by | times | seconds until everything had ended, median | maximum |\n"
        "| --- | --- | --- | --- |"
    )
    for way, took in stopped.items():
        if took:
            print(f"| {way} | {len(took)} | {statistics.median(took):.1f} | {max(took):.1f} |")
    for name in (*differ, *left):
        print(f"wrong: {name}", file=sys.stderr)
    return len(differ) + orphans + len(left)


def _undisturbed(clone: Clone, target: list[str]) -> dict[str, float]:
    """Run `dvc repro`; return for each stage, in order, the seconds until the next one began."""
    began: dict[str, float] = {}
    dvc = clone.start("dvc", "repro", *target)
    while dvc.poll() is None:
        for stage in _stages(_children(dvc)):
            began.setdefault(stage, time.monotonic())
        time.sleep(POLL)
    printed, _ = dvc.communicate()
    if dvc.returncode:
        raise SystemExit(printed)
    times = [*began.values(), time.monotonic()]
    spans = [end - start for start, end in itertools.pairwise(times)]
    return dict(zip(began, spans, strict=True))


def _wait_for(dvc: "subprocess.Popen[str]", stages: Collection[str]) -> str:
    """Return which of `stages` is running, as soon as one is; "" if DVC ends before that."""
    while dvc.poll() is None:
        for stage in _stages(_children(dvc)):
            if stage in stages:
                return stage
        time.sleep(POLL)
    return ""


def _stop(
    dvc: "subprocess.Popen[str]", running: list[psutil.Process], way: str
) -> tuple[float, list[str]]:
    """Stop DVC in one of WAYS; return the seconds until all had ended, and which had not."""
    began = time.monotonic()
    if way == "Ctrl-C":
        os.killpg(dvc.pid, signal.SIGINT)  # to all of them, as a terminal does
    else:
        for process in running if way == "all killed" else ():
            process.kill()
        dvc.kill()  # if only DVC is killed, the stage must notice by itself
    _, alive = psutil.wait_procs([*running, psutil.Process(dvc.pid)], timeout=SECONDS_TO_END)
    took = time.monotonic() - began
    left = [_command(process) for process in alive]
    for process in alive:
        process.kill()
    return took, left


def _children(dvc: "subprocess.Popen[str]") -> list[psutil.Process]:
    try:
        return psutil.Process(dvc.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _stages(processes: list[psutil.Process]) -> set[str]:
    """Return the stages that these processes run, as stages or as the shells that start them."""
    found = set()
    for process in processes:
        words = _command(process)
        if "stages/" in words:
            found.add(words[words.index("stages/") :])
    return found


def _command(process: psutil.Process) -> str:
    """Return a process's command line; "" if it has just ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # or a zombie
        return ""


def _fix(clone: Clone) -> bool:
    """Delete files of DVC's own that it left truncated and could not start with; return if any.

    They are its list of running commands, and dvc.lock, which a user would restore from git; the
    results of finished stages come back from the cache.
    """
    running, locked = clone.path / ".dvc/tmp/rwlock", clone.path / "dvc.lock"
    truncated = [running] if running.exists() and not running.read_text().strip() else []
    try:
        COMPILED_LOCKFILE_SCHEMA(yaml.safe_load(locked.read_text()))
    except FileNotFoundError:
        pass
    except (yaml.YAMLError, Invalid):
        truncated.append(locked)
    for file in truncated:
        print(f"truncated by DVC: {file.name}", file=sys.stderr)
        file.unlink()
    return bool(truncated)


def _outs(clone: Clone) -> dict[str, str]:
    stages = lock(clone).values()
    return {out["path"]: out["md5"] for stage in stages for out in stage.get("outs", [])}

"""Train and judge all of `readers` on a GPU, several models at a time, and without DVC.

    python benchmarks/readers.py FOLDER... [--jobs 8] [--minutes 9] [--train-only]

FOLDER: a clone in which `dvc repro crop audit` has run. It gets the models, predictions, metrics
of the stages of `readers/dvc.yaml`; `python stages/readers_results.py` there then puts
them side by side. Networks that are this small leave most of a GPU idle, and a stage trains its
seeds and folds one after the other, so here each of them is a job of its own. What comes first in
`params.yaml` begins first. When the time is over, training stops, and readers without all of their
seeds are left out. Called again, it goes on from what is finished.

With `--train-only` nothing is judged, and the labels of the test split stay closed.
"""

import argparse
import hashlib
import multiprocessing
import os
import runpy
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "stages"))
import _source  # noqa: E402, F401

from unmask.cli.command import one_line  # noqa: E402
from unmask.core import stage  # noqa: E402, F401
from unmask.core.section import read  # noqa: E402
from unmask.models.readers import source_of_faces  # noqa: E402
from unmask.models.registry import load  # noqa: E402
from unmask.params.models import NOBODY, Train  # noqa: E402
from unmask.params.readers import read_readers  # noqa: E402
from unmask.training.cross_fitting import folds_of, train_without  # noqa: E402
from unmask.training.teaching import open_lesson, train_reader  # noqa: E402

_FORK = multiprocessing.get_context("fork")  # seconds of imports are then made once
_SECONDS_BETWEEN_LOOKS = 0.05
_LOGS = Path("logs/readers")


@dataclass(frozen=True, eq=False)
class Job:
    """Something to do in `folder`, once what it `needs` there has been done.

    trains: whether it stops when the time is over.
    """

    folder: Path
    name: str
    needs: Sequence[str]
    work: Callable[[], object]
    trains: bool = False


def main(arguments: argparse.Namespace) -> None:
    """Do all that can be done in the time, and say how long each job took."""
    until = time.time() + 60 * (arguments.minutes or 1e6)
    waiting = [
        job
        for folder in [folder.resolve() for folder in arguments.folders]
        for job in _jobs(folder)
        if not (arguments.train_only and job.name.startswith("judge"))
    ]
    running = dict[Job, tuple[multiprocessing.Process, float]]()
    done = {
        (job.folder, job.name)
        for job in waiting
        if _notes(job.folder).exists() and job.name in _notes(job.folder).read_text().splitlines()
    }
    waiting = [job for job in waiting if (job.folder, job.name) not in done]
    while waiting or running:
        over = time.time() > until
        for job, (process, began) in list(running.items()):
            if over and job.trains:
                process.kill()
            if not process.is_alive():
                process.join()
                del running[job]
                if process.exitcode == 0:
                    done.add((job.folder, job.name))
                    with _notes(job.folder).open("a") as notes:
                        notes.write(f"{job.name}\n")
                ended = f"failed with {process.exitcode}" if process.exitcode else "done"
                took = time.time() - began
                print(f"{job.folder.name}: {job.name}: {ended} after {took:.1f} s", flush=True)
        ready = [
            job for job in waiting
            if not (over and job.trains) and all((job.folder, name) in done for name in job.needs)
        ]  # fmt: skip
        if not (ready or running):
            break
        # What is judged or put together takes seconds, and others may wait for it.
        for job in sorted(ready, key=lambda job: job.trains):
            if len(running) < arguments.jobs:
                process = _FORK.Process(target=_run, args=(job,))
                process.start()
                running[job] = (process, time.time())
                waiting.remove(job)
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    for job in waiting:
        print(f"{job.folder.name}: {job.name}: not done")


def _notes(folder: Path) -> Path:
    """Return the file that lists what has been done in a clone by its present parameters."""
    params = hashlib.sha256((folder / "params.yaml").read_bytes()).hexdigest()[:12]
    return folder / _LOGS / f"done_{params}"


def _run(job: Job) -> None:
    os.chdir(job.folder)
    log = _LOGS / f"{job.name.replace(' ', '_')}.log"
    with log.open("a") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
        try:
            job.work()
        except SystemExit as end:
            if end.code:
                raise
        except BaseException:
            traceback.print_exc()
            raise SystemExit(1) from None


def _jobs(folder: Path) -> list[Job]:
    """Return the jobs of a clone in the order of its params.yaml."""
    os.chdir(folder)
    readers, ensembles, averages = read_readers()
    for entry in readers.values():
        # A stage takes over what a job has trained if both have imported the same code.
        load("classifiers", entry.classifier.name)
        load("objectives", entry.objective.name)
    load("classifiers", "ensemble")
    jobs = []
    nobody = Path("models/teachers") / NOBODY
    for needed in (nobody, _LOGS):
        needed.mkdir(parents=True, exist_ok=True)
    (nobody / "nobody").touch()
    teachers = {entry.objective.teacher for entry in readers.values()}
    for name, entry in readers.items():
        teacher = entry.objective.teacher
        made = "ensemble" if teacher in ensembles else "teach"
        needs = [] if teacher == NOBODY else [f"{made} {teacher}"]
        seeds = [f"seed {name} {seed}" for seed in entry.all_seeds()]
        folds = [f"fold {name} {number}" for number in range(entry.folds or 0)]
        if name in teachers or entry.folds:
            jobs += [
                Job(folder, job, needs, _training(name, fold=number), trains=True)
                for number, job in enumerate(folds)
            ]
            work = _stage("teach.py", name)
            jobs.append(Job(folder, f"teach {name}", [f"train {name}", *folds], work))
        jobs += [
            Job(folder, job, needs, _training(name, number=number), trains=True)
            for number, job in enumerate(seeds)
        ]
        jobs.append(Job(folder, f"train {name}", seeds, _stage("train_reader.py", name)))
        jobs.append(
            Job(folder, f"judge {name}", [f"train {name}"], _stage("evaluate_reader.py", name))
        )
    for name, ensemble in ensembles.items():
        needs = [
            f"{'ensemble' if member in ensembles else 'train'} {member}"
            for member in ensemble.members
        ]
        jobs.append(Job(folder, f"ensemble {name}", needs, _stage("ensemble.py", name)))
        jobs.append(
            Job(folder, f"judge {name}", [f"ensemble {name}"], _stage("evaluate_reader.py", name))
        )
    for name, average in averages.items():
        needs = [f"train {average.reader}"]
        jobs.append(Job(folder, f"average {name}", needs, _stage("average_posterior.py", name)))
        jobs.append(
            Job(folder, f"judge {name}", [f"average {name}"], _stage("evaluate_reader.py", name))
        )
    return jobs


def _stage(script: str, name: str) -> Callable[[], object]:
    def work() -> None:
        sys.argv = [str(ROOT / "stages" / script), name]
        runpy.run_path(sys.argv[0], run_name="__main__")

    return work


def _training(name: str, number: int = 0, fold: int | None = None) -> Callable[[], object]:
    """Train one model of a reader: that of a seed, or the one that leaves out a fold."""

    def work() -> None:
        readers = read_readers().readers
        entry, train = readers[name], read(Train, "train")
        lesson, source = open_lesson(entry), source_of_faces()
        if fold is not None:
            of = folds_of(entry, lesson, train)
            train_without(fold, of, name, entry, lesson, train, source)
            return
        seed = entry.all_seeds()[number]
        train_reader(
            f"readers/{name}/{seed}", name, entry, lesson.taught(entry, number),
            train.model_copy(update={"seed": seed}), source,
        )  # fmt: skip

    return work


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--jobs", type=int, default=8, help="models at a time")
    parser.add_argument("--minutes", type=float, help="default: as long as it takes")
    parser.add_argument("--train-only", action="store_true")
    one_line(main)(parser.parse_args())

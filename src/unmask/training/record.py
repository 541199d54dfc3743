"""What a training run leaves behind while it runs: checkpoint, curves, progress, durations.

Everything is in `.checkpoints/<run>/`, outside DVC's outputs, which DVC deletes before it runs a
stage; the folder goes when the run has ended well. Durations outlive it in `logs/<run>.json`: they
differ from run to run, so they are no output of a stage.
"""

import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from unmask.core.files import write_json
from unmask.core.progress import Progress
from unmask.training import checkpoint
from unmask.training.objective import Objective
from unmask.training.process_group import ProcessGroup

if TYPE_CHECKING:
    from dvclive.live import Live

Figures = dict[str, float]

SECONDS_BETWEEN_CHECKPOINTS = 10.0
"""To redo less than this is quicker than to save it; an epoch of a small run takes a second."""

_SECONDS_BETWEEN_EPOCHS = 5
_SECONDS_WITHIN_AN_EPOCH = 60


class TrainingProgress(Progress):
    """Shows epochs as they pass."""

    def features(self, share: float) -> None:
        """Show for which share of the faces features have been computed."""
        text = "features of the frozen encoder"
        self.show(share, 1, f"{text}, {share:.0%}", _SECONDS_WITHIN_AN_EPOCH, text)

    def within(self, epoch: int, epochs: int, share: float) -> None:
        """Show that `share` of the epoch after `epoch` (of at most `epochs`) is done."""
        line = f"epoch {epoch + 1} of at most {epochs}, {share:.0%} of its faces"
        self.show(epoch + share, epochs, line, _SECONDS_WITHIN_AN_EPOCH)

    def epoch(self, epoch: int, epochs: int, figures: Mapping[str, float]) -> None:
        """Show that `epoch` of at most `epochs` has ended."""
        text = "  ".join(f"{name} {value:.4f}" for name, value in figures.items())
        line = f"epoch {epoch} of at most {epochs}  {text}"
        self.show(epoch, epochs, line, _SECONDS_BETWEEN_EPOCHS, text)


@dataclass
class State:
    """How far a training run is; with model and optimisers, everything that a resumed run needs.

    history: the figures of each epoch: `train/...`, running averages in training mode, and
        `validation/...`, in evaluation mode.
    best_epoch: index of the epoch that is best on validation.
    best: the weights at that epoch.
    seconds: what each epoch took.
    """

    history: list[Figures] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    best_epoch: int = 0
    best: dict[str, Tensor] = field(default_factory=dict)

    @property
    def stale(self) -> int:
        """Epochs since the best one."""
        return len(self.history) - 1 - self.best_epoch


class Record:
    """The record of one training run.

    name: of the run, such as `final/unet`; names the folder under `.checkpoints/`.
    fingerprint: of everything that determines the run; a checkpoint with another is not resumed.
    group: the processes that train; all read the checkpoint, but only the first writes and speaks.
    """

    def __init__(self, name: str, fingerprint: str, group: ProcessGroup) -> None:
        self.folder = Path(".checkpoints") / name
        self.pictures = self.folder / "pictures"
        self._file = self.folder / "last.safetensors"
        self._name, self._fingerprint, self._writes = name, fingerprint, not group.rank
        self._progress = TrainingProgress(name, silent=group.rank > 0)
        self._epoch = self._epochs = self._faces = 0
        self._started = self._saved = time.monotonic()
        self._live: Live | None = None
        self._logged = 0

    def say(self, text: str) -> None:
        """Print one line about the run."""
        self._progress.say(text)

    def resume(self, objective: Objective) -> State:
        """Load the last checkpoint into the objective; without one, return the initial state."""
        saved = checkpoint.load(self._file, self._fingerprint, objective, self._progress.say)
        if saved is None:
            if self._writes:
                shutil.rmtree(self.pictures, ignore_errors=True)
            return State()
        notes = saved.notes
        state = State(notes["history"], notes["seconds"], notes["best_epoch"], saved.best)
        self._progress.say(f"going on after epoch {len(state.history)} of an interrupted run")
        return state

    def epoch_begins(self, epoch: int, epochs: int) -> None:
        """Note that `epoch`, counted from 0, of at most `epochs` begins."""
        self._epoch, self._epochs, self._faces = epoch, epochs, 0
        self._started = time.monotonic()

    def faces_seen(self, faces: int, of: int) -> None:
        """Note that the epoch has learned from so many more faces."""
        self._faces += faces
        self._progress.within(self._epoch, self._epochs, self._faces / of)

    def epoch_ends(self, objective: Objective, state: State) -> None:
        """Record the epoch whose figures are now in `state`, and say so if something is wrong."""
        figures = state.history[-1]
        state.seconds.append(round(time.monotonic() - self._started, 2))
        if not self._writes:
            return
        if time.monotonic() - self._saved >= SECONDS_BETWEEN_CHECKPOINTS:
            self._save(objective, state)
        self._progress.epoch(len(state.history), self._epochs, figures)
        for fault in objective.faults(figures):
            self._progress.say(f"warning: epoch {len(state.history)}: {fault}")

    def close(self) -> None:
        """End what shows on the screen; also where training fails."""
        self._progress.close()

    def copy_to(self, folder: Path, state: State) -> None:
        """Copy the curves, a `.tsv` file for each figure, and the pictures into `folder`."""
        self._log(state).end()  # type: ignore[no-untyped-call]
        shutil.copytree(self.folder / "live" / "plots" / "metrics", folder, dirs_exist_ok=True)
        if self.pictures.exists():
            shutil.copytree(self.pictures, folder / "pictures")

    def end(self, state: State) -> None:
        """Note the durations and remove the rest, once the run's artefacts are written."""
        write_json(Path("logs") / f"{self._name}.json", {"seconds_per_epoch": state.seconds})
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def _save(self, objective: Objective, state: State) -> None:
        """Write a checkpoint, and the curves up to here."""
        notes = {
            "history": state.history, "seconds": state.seconds, "best_epoch": state.best_epoch
        }  # fmt: skip
        checkpoint.save(self._file, self._fingerprint, objective, state.best, notes)
        self._log(state)
        self._saved = time.monotonic()

    def _log(self, state: State) -> "Live":
        """Log the figures of the epochs since the last call."""
        if self._live is None:
            from dvclive.live import Live  # a second to import and to start
            from scmrepo.exceptions import SCMError

            class Curves(Live):
                def _init_dvc(self) -> None:
                    # It wants the commit that experiments start from; there may be none.
                    with suppress(SCMError):
                        super()._init_dvc()

            live = str(self.folder / "live")
            self._live = Curves(live, save_dvc_exp=False, dvcyaml=None, report=None)
            self._live.step = 1
        for figures in state.history[self._logged :]:
            for name, value in figures.items():
                self._live.log_metric(name, value)
            self._live.next_step()  # type: ignore[no-untyped-call]
        self._logged = len(state.history)
        return self._live

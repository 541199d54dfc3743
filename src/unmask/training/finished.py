"""Models that are finished, in a stage that trains several one after the other.

DVC deletes a stage's outputs before it runs it again, so they are kept beside the checkpoints until
the stage ends.
"""

import shutil
from pathlib import Path

from unmask.core.files import atomic_folder
from unmask.training.process_group import ProcessGroup


class Finished:
    """The artefacts of a run that has ended, kept until its stage has.

    run: its name; identity: of everything that determines it.
    """

    _ROOT = Path(".checkpoints/finished")
    _FOLDERS = (Path("models"), Path("data/training"))

    def __init__(self, run: str, identity: str) -> None:
        self._run, self._kept = run, self._ROOT / run
        self._identity = identity

    def is_there(self) -> bool:
        """Return whether artefacts of the same run are kept."""
        note = self._kept / "identity"
        return note.exists() and note.read_text(encoding="ascii") == self._identity

    def put_back(self, group: ProcessGroup) -> None:
        """Copy them to where the run had put them."""
        for folder in [] if group.rank else self._FOLDERS:
            with atomic_folder(folder / self._run) as temporary:
                shutil.copytree(self._kept / folder, temporary, dirs_exist_ok=True)
        group.wait()  # for the first process, which may forget them next

    def keep(self) -> None:
        """Keep a copy of them; for the first process."""
        with atomic_folder(self._kept) as temporary:
            for folder in self._FOLDERS:
                shutil.copytree(folder / self._run, temporary / folder)
            (temporary / "identity").write_text(self._identity, encoding="ascii")

    @classmethod
    def forget(cls, runs: str, group: ProcessGroup) -> None:
        """Remove what is kept of the runs whose names begin with the folder `runs`."""
        if not group.rank:
            shutil.rmtree(cls._ROOT / runs, ignore_errors=True)

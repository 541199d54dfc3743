"""Put on PYTHONPATH by the tests: notes what a stage script has loaded and read.

Leaves {"modules": files of `unmask` that it imported, "files": files of the data that it opened}.
"""

import atexit
import json
import os
import sys
from pathlib import Path

HERE = Path.cwd().resolve()
DATA = ("data", "laboratory", "metrics", "models", "readers", "seeds")
opened = set()


def _note_opened(event, arguments):
    if event == "open" and isinstance(arguments[0], str | os.PathLike):
        path = HERE / arguments[0]
        if path.is_relative_to(HERE) and not path.is_dir():
            opened.add(path.relative_to(HERE))


def _note():
    files = [
        Path(module.__file__).resolve().relative_to(HERE).as_posix()
        for name, module in sys.modules.items()
        if name.startswith("unmask.") and getattr(module, "__file__", None)
    ]
    trace = {
        "modules": sorted(file for file in files if not file.endswith("__init__.py")),
        # What is written whole has a hidden name at first.
        "files": sorted(f.as_posix() for f in opened if f.parts[0] in DATA and "/." not in f"/{f}"),
    }
    name = "@".join([Path(sys.argv[0]).stem, *sys.argv[1:]])
    (Path(os.environ["UNMASK_TRACE"]) / f"{name}.json").write_text(json.dumps(trace))


if "UNMASK_TRACE" in os.environ and sys.argv[0].startswith("stages/"):
    sys.addaudithook(_note_opened)
    atexit.register(_note)

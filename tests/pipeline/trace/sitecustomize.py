"""Put on PYTHONPATH by the tests: notes which modules of `unmask` a stage script has loaded."""

import atexit
import json
import os
import sys
from pathlib import Path


def _note() -> None:
    arguments = [Path(sys.argv[0]).stem, *sys.argv[1:]] if sys.argv[0].startswith("stages/") else []
    if not arguments:
        return
    files = [
        Path(module.__file__).resolve().relative_to(Path.cwd().resolve()).as_posix()
        for name, module in sys.modules.items()
        if name.startswith("unmask.") and getattr(module, "__file__", None)
    ]
    loaded = sorted(file for file in files if not file.endswith("__init__.py"))
    trace = Path(os.environ["UNMASK_TRACE"]) / f"{'@'.join(arguments)}.json"
    trace.write_text(json.dumps(loaded))


if "UNMASK_TRACE" in os.environ:
    atexit.register(_note)

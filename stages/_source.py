"""What every stage imports first, before seconds of imports.

Refuses a Python that cannot run the stage. Then it puts the `src` beside the folder of stages first
on the path: DVC runs experiments in copies of the repository, and each must run its own code, not
the installed one. Then it sets up the process; see `unmask.core.process`.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

NEEDED = ("numpy", "psutil", "pydantic", "safetensors", "torch", "tqdm")

# A cluster's shell leaves folders here with another NumPy, or with a module of Python's own name.
elsewhere = {Path(name).resolve() for name in os.environ.get("PYTHONPATH", "").split(os.pathsep)}
sys.path.sort(key=lambda folder: Path(folder).resolve() in elsewhere)

lacking = [name for name in NEEDED if find_spec(name) is None]
if sys.version_info < (3, 11):  # noqa: UP036
    lacking = ["a version of 3.11 or later"]
if lacking:
    remedy = "run `source .venv/bin/activate` first, or use `make repro`"
    print(f"error: {sys.executable} lacks {', '.join(lacking)}; {remedy}", file=sys.stderr)
    sys.exit(2)

# With PYTHONSAFEPATH, Python finds this file where it is installed, not beside the stage.
beside = Path(sys.argv[0] if sys.flags.safe_path else __file__)
sys.path.insert(0, str(beside.resolve().parents[1] / "src"))

from unmask.core.process import prepare  # noqa: E402

prepare()

"""Put on PYTHONPATH by the benchmarks: notes when each stage that DVC runs begins and ends.

Appends a line {"stage", "began", "ended"} (seconds since 1970) to the file UNMASK_STAGE_TIMES.
"""

import atexit
import json
import os
import sys
import time
from pathlib import Path

_BEGAN = time.time()


def _note() -> None:
    stage = "@".join([Path(sys.argv[0]).stem, *sys.argv[1:]])
    line = json.dumps({"stage": stage, "began": _BEGAN, "ended": time.time()})
    with Path(os.environ["UNMASK_STAGE_TIMES"]).open("a") as file:
        file.write(f"{line}\n")


if "UNMASK_STAGE_TIMES" in os.environ and "DVC_STAGE" in os.environ:
    atexit.register(_note)

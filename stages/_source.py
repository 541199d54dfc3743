"""What every stage imports first.

Puts the `src` beside this folder first on the path: DVC runs experiments in copies of the
repository, and each must run its own code, not the installed one. From here on, before seconds of
imports, a stage that DVC runs ends when DVC does; started by hand, it may be left to run by itself.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

if "DVC_STAGE" in os.environ:
    from unmask.core.orphan import end_with_dvc

    end_with_dvc()

"""What every stage imports first, before seconds of imports.

Puts the `src` beside this folder first on the path: DVC runs experiments in copies of the
repository, and each must run its own code, not the installed one. From here on Ctrl-C ends a stage
with one line, and a stage that DVC runs ends when DVC does; started by hand, it may be left to run
by itself.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from unmask.core.interrupt import end_at_once_on_ctrl_c

end_at_once_on_ctrl_c()

if "DVC_STAGE" in os.environ:
    from unmask.core.orphan import end_with_dvc

    end_with_dvc()

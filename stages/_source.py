"""What every stage imports first, before seconds of imports.

Puts the `src` beside this folder first on the path: DVC runs experiments in copies of the
repository, and each must run its own code, not the installed one. Then it sets up the process; see
`unmask.core.process`.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from unmask.core.process import prepare

prepare()

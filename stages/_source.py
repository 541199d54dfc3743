"""Puts the `src` beside this folder first on the path.

DVC runs experiments in copies of the repository; each must run its own code, not the installed one.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

"""Building a part by its name.

Reconstructors, classifiers and objectives each live in the file that bears their name and are
imported only when asked for, so that a stage that uses one depends on that file and on no other.
"""

import re
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from unmask.core.errors import UserError


def load(family: str, name: str) -> Any:
    """Return the module `unmask.<family>.<name>`, which holds `Params` and `build`.

    Raises UserError where there is no such file, or one without these two.
    """
    if not exists(family, name):
        file = f"src/unmask/{family.replace('.', '/')}/{name}.py"
        raise UserError(f"params.yaml: {name}: no file {file}; write it or mend the name")
    module = import_module(f"unmask.{family}.{name}")
    if not (hasattr(module, "Params") and hasattr(module, "build")):
        raise UserError(f"params.yaml: {name}: cannot be named here; choose another of {family}")
    return module


def exists(family: str, name: str) -> bool:
    """Say whether `unmask.<family>.<name>` is there, without importing it."""
    return bool(re.fullmatch(r"[a-z][a-z0-9_]*", name) and find_spec(f"unmask.{family}.{name}"))

"""Building a part by its name.

Reconstructors, classifiers and objectives each live in the file that bears their name and are
imported only when asked for, so that a stage that uses one depends on that file and on no other.
"""

import re
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from unmask.core.errors import UserError
from unmask.core.section import FILE, check

_HERE = Path(__file__).resolve().parents[1]


def load(family: str, name: str, where: str = FILE) -> Any:
    """Return the module `unmask.<family>.<name>`, which holds `Params` and `build`.

    family: `reconstructors`, `classifiers` or `objectives`. Raises UserError, beginning with
    `where`, if there is no such file, or if it lacks one of these two.
    """
    if not exists(family, name):
        file = f"src/unmask/{family}/{name}.py"
        raise UserError(f"{where}: {name}: no file {file}; write it or correct the name")
    module = import_module(f"unmask.{family}.{name}")
    if not (hasattr(module, "Params") and hasattr(module, "build")):
        raise UserError(
            f"{where}: {name}: not a valid {family.removesuffix('s')}; choose one of "
            f"{', '.join(names(family))}"
        )
    return module


def built(
    family: str,
    name: str,
    settings: Mapping[str, Any],
    *shape: int,
    key: str = "settings",
    file: str = FILE,
) -> Any:
    """Return the untrained model that `unmask.<family>.<name>` builds by these settings.

    shape: height, width and number of classes for a classifier. Raises UserError, beginning with
    `file` and naming `key`, as `load` does and for settings that the model does not know.
    """
    module = load(family, name, file)
    return module.build(check(module.Params, settings, key, file), *shape)


def exists(family: str, name: str) -> bool:
    """Return whether there is a module `unmask.<family>.<name>`, without importing it."""
    return bool(re.fullmatch(r"[a-z][a-z0-9_]*", name) and find_spec(f"unmask.{family}.{name}"))


def names(family: str) -> list[str]:
    """Return the names in a family, in alphabetical order, without importing any."""
    files = sorted((_HERE / family).glob("[a-z]*.py"))
    return [file.stem for file in files if "\ndef build(" in file.read_text(encoding="utf-8")]

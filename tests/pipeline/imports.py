"""Which modules of `src/unmask` a stage script imports, directly or through others."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"


def imported_files(script: Path) -> set[str]:
    """Return the paths, relative to the repository, of all modules that `script` imports.

    `__init__.py` files do not count: those of packages are empty, which a test asserts.
    """
    found: set[str] = set()
    waiting = [script]
    while waiting:
        for module in _direct_imports(waiting.pop()):
            path = module.relative_to(ROOT).as_posix()
            if path not in found:
                found.add(path)
                waiting.append(module)
    return found


def covered(file: str | Path, named: set[str]) -> bool:
    """Say whether a stage that depends on the files and folders `named` depends on `file`."""
    return not named.isdisjoint({file, *map(str, Path(file).parents)})


@cache
def _direct_imports(file: Path) -> list[Path]:
    modules = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            modules += [_file(alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            inner = [_file(f"{node.module}.{alias.name}") for alias in node.names]
            modules += [_file(node.module), *inner]
    return [module for module in modules if module]


def _file(name: str) -> Path | None:
    path = SOURCE / Path(*name.split(".")).with_suffix(".py")
    return path if name.split(".")[0] == "unmask" and path.exists() else None

"""Whether the results that are compared, and those in git, were made alike."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from unmask.core.git import git

Environment = Mapping[str, Any]


def environments(made: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the different environments in which results were computed, each once.

    made: what `core.compute.environment.made` says of each result.
    """
    found: list[dict[str, Any]] = []
    for part in (result[part] for result in made for part in ("training", "evaluation")):
        if part not in found:
            found.append(part)
    return found


def in_words(environment: Environment) -> str:
    """Return an environment as one line."""
    parts = [f"{name} {environment[name]}" for name in ("python", "torch", "numpy", "cpu")]
    parts.append(f"{environment['threads']} threads")
    return ", ".join([*parts, environment["gpu"]] if environment["gpu"] else parts)


def mismatch(figures: Mapping[str, Any], file: str) -> str | None:
    """Return a line that says how the committed `file` was made, where these figures were not."""
    here, committed = figures["environments"], _committed(file)
    if not committed or committed == here:
        return None
    return (
        f"{file} in git was made with {_all(committed)}; this one with {_all(here)}: the same "
        "seed may give other figures"
    )


def _all(environments: Sequence[Environment]) -> str:
    return "; and ".join(map(in_words, environments))


def _committed(file: str) -> list[dict[str, Any]]:
    """Return the environments that the last commit's version of `file` names, if any."""
    found: list[dict[str, Any]] = json.loads(git("show", f"HEAD:./{file}") or "{}").get(
        "environments", []
    )
    return found

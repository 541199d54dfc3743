"""How foreign names and values stand in a one-line message."""

from collections.abc import Sequence
from pathlib import Path

_LONGEST = 24
_NAMES = 6


def shown(name: str | Path) -> str:
    """Return a file's name with what does not print (line feeds, escapes) as question marks."""
    return "".join(character if character.isprintable() else "?" for character in str(name))


def quoted(value: bytes) -> str:
    """Return a field of a file in quotes, cut after a few characters."""
    text = value.decode("utf-8", "backslashreplace")
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return repr(cut).replace("\\\\", "\\")


def listed(names: Sequence[str | Path]) -> str:
    """Return the first few names, separated by commas."""
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(shown(name) for name in names[:_NAMES]) + more

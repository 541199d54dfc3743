"""What git knows of the repository that runs."""

import subprocess


def git(*arguments: str) -> str | None:
    """Return what git prints; None without git, outside a repository, or where git refuses."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)  # noqa: S603, S607
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip() or None

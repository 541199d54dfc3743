"""The one exception that carries a message for the user, and how errors become one line."""


class UserError(Exception):
    """A mistake that the user can fix.

    Its text is the one line that the user sees: where it is (file and line, or key), what is wrong,
    and, after a semicolon, what to do.
    """


def in_one_line(error: UserError | OSError) -> str:
    """Return what is said of an error that a person can fix, their own or the system's."""
    text = str(error)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        text = f"{where}{error.strerror or error}; fix this and run again"
    return f"error: {printable(' '.join(text.split()))}"


def printable(text: str) -> str:
    """Return a text with unprintable characters (line feeds, escapes) as question marks."""
    return "".join(character if character.isprintable() else "?" for character in text)

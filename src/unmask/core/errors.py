"""The one exception that carries a message for the user."""


class UserError(Exception):
    """A mistake that the user can fix.

    Its text is the one line that the user sees: where it is (file and line, or key), what is wrong,
    and, after a semicolon, what to do.
    """

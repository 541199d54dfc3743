"""Changing one value deep inside of params.yaml."""


def set_key(values, key, value):
    """Set the dotted `key` of nested dictionaries to `value`; `...` removes it."""
    *path, last = key.split(".")
    for part in path:
        values = values[part]
    if value is ...:
        del values[last]
    else:
        values[last] = value

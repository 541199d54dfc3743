"""Loads the profile that Hypothesis uses unless told otherwise."""

from profiles import register

register()

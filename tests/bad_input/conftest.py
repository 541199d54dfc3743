"""Loads the profile that Hypothesis has unless another is asked for."""

from profiles import register

register()

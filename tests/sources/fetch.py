"""`unmask fetch`, for stage_server.py.

kagglesdk takes half a second to import. kagglehub is left to the run: it looks at the environment.
"""

import kagglesdk  # noqa: F401

import unmask.sources.kaggle  # noqa: F401
from unmask.cli.fetch import fetch

if __name__ == "__main__":
    fetch()

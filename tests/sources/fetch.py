"""`unmask-fetch`, for stage_server.py.

kagglesdk takes half a second to import. kagglehub is left to the run: it looks at the environment.
"""

import kagglesdk  # noqa: F401

from unmask.sources.kaggle import main

if __name__ == "__main__":
    main()

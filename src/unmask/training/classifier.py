"""Training a classifier: on upper halves, whole faces or stitched faces, by the same code."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unmask.faces import CLASSES, SPLITS, TRAIN, VALIDATION
from unmask.files import whole_folder, write_json
from unmask.params.models import Named
from unmask.params.training import Train
from unmask.registry import load
from unmask.training.batches import Batches
from unmask.training.compute import compute
from unmask.training.fingerprint import fingerprint
from unmask.training.loop import fit
from unmask.training.objectives.classification import Classification
from unmask.training.record import Record
"""
"""

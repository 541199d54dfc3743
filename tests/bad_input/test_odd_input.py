"""Odd but valid files: the stage reads each and makes the same arrays from it."""

import numpy as np
import pytest
from cases import Case, put
from odd_tables import CASES
from stage_runs import write_params

from faces_csv import image
from unmask.core.faces import FaceSet


@pytest.mark.parametrize("content", CASES.values(), ids=[name.replace(" ", "-") for name in CASES])
def test_odd_file_gives_the_same_faces(tmp_path, ingest, content):
    case = Case("odd", put(content), "")
    case.make(tmp_path)
    write_params(tmp_path, case)
    result = ingest.run(tmp_path)
    assert (result.status, result.out, result.err) == (0, "", "")
    faces = FaceSet.open(tmp_path / "data/ingested").unsealed(tmp_path / "data/test_labels.npy")
    np.testing.assert_array_equal(faces.images, [image(seed) for seed in range(21)])
    assert faces.labels.tolist() == list(range(7)) * 3
    assert faces.split.tolist() == [0] * 7 + [1] * 7 + [2] * 7

"""`unmask fetch` as a user types it: options that do not go with what is fetched."""

import pytest


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["face-models", "--to", "elsewhere"],
            "--to: goes with fer2013 only; set UNMASK_FACE_MODELS to keep face models elsewhere",
        ),
        (
            ["fer2013", "--from", "."],
            "--from: goes with face-models only; copy a file of FER2013 to data/raw yourself",
        ),
    ],
)
def test_an_option_of_the_other_is_refused(in_folder, unmask_command, words, said):
    done = unmask_command("fetch", *words)
    assert (done.status, done.out, done.err) == (2, [], [f"error: {said}"])
    assert not list(in_folder.iterdir())

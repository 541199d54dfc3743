"""What the laboratory refuses before it trains anything."""

from pathlib import Path

import pytest
import yaml
from stage_runs import stage

from nested import set_key
from unmask.core.errors import UserError
from unmask.core.files import write_json
from unmask.params.schema import read_all

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def params(in_folder):
    """Return a function that sets the honest experiment in a copy of the shipped file."""
    values = yaml.safe_load((ROOT / "params.yaml").read_text())

    def change(honest):
        set_key(values, "laboratory.honest", honest)
        Path("params.yaml").write_text(yaml.safe_dump(values, sort_keys=False))

    return change


@pytest.mark.parametrize(
    ("honest", "words"),
    [
        ({"reconstructor": "train", "judge": "train"}, "injects judge, but"),
        ({"reconstructor": "folds"}, "injects reconstructor, but"),
        ({"reconstructor": "train", "copies": "kept", "split": "augmented"}, "copies and split"),
        ({"reconstructor": "all", "train": {"epochs": 9}}, "injects reconstructor, but"),
    ],
)
def test_the_honest_experiment_injects_nothing(params, honest, words):
    params(honest)
    with pytest.raises(UserError) as error:
        read_all()
    message = str(error.value)
    assert message.startswith("params.yaml: laboratory: honest: injects ")
    assert words in message
    assert message.endswith("set it to {reconstructor: train}")
    assert "\n" not in message


def test_the_honest_experiment_may_be_trained_otherwise(params):
    params({"reconstructor": "train", "judge": "test", "train": {"epochs": 9}})
    assert read_all().laboratory["honest"].train == {"epochs": 9}


@pytest.fixture(scope="module")
def train():
    """The stage that trains reconstructors."""
    with stage("laboratory_train_reconstructor.py") as running:
        yield running


@pytest.mark.parametrize("labels", ["ferplus_soft", "fer2013_soft", "fer2013", "ferplus"])
def test_no_reconstructor_is_trained_for_soft_labels(params, train, in_folder, labels):
    params({"reconstructor": "train"})
    Path("data/faces").mkdir(parents=True)
    meta = {"source": "fer2013.csv", "source_sha256": "0", "labels": labels}
    write_json("data/faces/meta.json", meta)
    line = train.refusal(in_folder, "folds")
    if labels.endswith("_soft"):
        assert line.startswith("params.yaml: data.labels: ")
        assert line.endswith("choose fer2013 or ferplus")
    else:  # it goes on to the halves, which are not here
        assert line.startswith("data/halves/")

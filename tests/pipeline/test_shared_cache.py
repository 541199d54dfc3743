"""Stages computed on one machine and pulled on another, by way of an S3 server on loopback."""

import boto3
import pytest
from clone import Clone, lock, stages_run
from moto.server import ThreadedMotoServer

pytestmark = pytest.mark.slow


@pytest.fixture
def bucket(monkeypatch):
    """The address of an S3 server with one empty bucket, `cache`."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    boto3.client("s3", endpoint_url=address).create_bucket(Bucket="cache")
    yield address
    server.stop()


def share(clone, address):
    """Point a clone at the bucket, as README says."""
    clone.dvc("remote", "add", "--default", "shared", "s3://cache/unmask")
    clone.dvc("remote", "modify", "shared", "endpointurl", address)


def test_what_one_clone_has_computed_another_need_not(headlined, bucket, tmp_path):
    first = headlined[0].copy(tmp_path / "first")
    share(first, bucket)
    first.dvc("push", "--run-cache")

    (tmp_path / "second").mkdir()
    second = Clone.make(tmp_path / "second")
    share(second, bucket)
    second.dvc("fetch", "--run-cache")
    printed = second.dvc("repro", "--pull", "headline")

    # DVC pushes no metrics: they are in Git, and cheap to make again. What depends on nothing is
    # not in its cache of runs.
    assert set(stages_run(printed)) == {
        "make_sample", "readers/dvc.yaml:nobody", "audit", "place", "headline",
        "evaluate_baseline", "evaluate_ceiling", "evaluate_final@unet",
    }  # fmt: skip
    assert lock(second) == lock(first)
    for name in ("models/final/unet/weights.safetensors", "metrics/headline.json"):
        assert (second.path / name).read_bytes() == (first.path / name).read_bytes()

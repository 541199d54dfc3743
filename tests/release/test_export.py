"""Exported models: ONNX Runtime computes what PyTorch does; what cannot be exported is named."""

import hashlib
import json
import sys
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from huggingface_hub import ModelCard, metadata_load
from small_models import faces, save
from torch.onnx._internal.exporter._registration import ONNXRegistry

import unmask
from unmask.core.faces import CLASSES
from unmask.core.files import read_json, write_json
from unmask.models.registry import names
from unmask.release import export

pytestmark = pytest.mark.usefixtures("in_folder")

# What these have that others have not is little, and tracing takes time for every layer.
MANY_LAYERS = {
    "efficientnet_lite0", "flow", "inception_v3", "posterior_average", "residual_attention_unet",
    "resnet50", "resnet50_deep",
}  # fmt: skip
EVERY = [
    pytest.param(family, name, marks=pytest.mark.rare if name in MANY_LAYERS else ())
    for family in ("classifiers", "reconstructors")
    for name in names(family)
]


@pytest.fixture(scope="module", autouse=True)
def one_registry():
    """Let PyTorch list ONNX's operators once: a fifth of the time of a small export."""
    listed = staticmethod(cache(ONNXRegistry.from_torchlib))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ONNXRegistry, "from_torchlib", listed)
        yield


def run(file, images):
    """Return the names of input and outputs, and what ONNX Runtime makes of images."""
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    (taken,) = session.get_inputs()
    assert (taken.shape, taken.type) == (["batch", *images.shape[1:]], "tensor(float)")
    given = [output.name for output in session.get_outputs()]
    return taken.name, dict(zip(given, session.run(given, {taken.name: images}), strict=True))


@pytest.mark.usefixtures("thin_encoders")
@pytest.mark.parametrize(("family", "name"), EVERY)
def test_onnx_runtime_computes_what_pytorch_does_on_256_faces(tmp_path, family, name):
    folder, upper = save(tmp_path / "model", family, name), faces(256, 24)
    export.write_onnx(export.graph(folder), tmp_path / "model.onnx")
    taken, found = run(tmp_path / "model.onnx", upper)
    with torch.inference_mode():
        wanted = unmask.load(folder)(torch.from_numpy(upper))
    if family == "classifiers":
        wanted = wanted.softmax(1)
    assert taken == "upper"
    assert list(found) == ["probabilities" if family == "classifiers" else "lower"]
    (result,) = found.values()
    assert np.ptp(result, axis=0).max() > 0 or name == "mean_face"
    np.testing.assert_allclose(result, wanted.numpy(), rtol=0, atol=1e-4)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """The folder of a calibrated reader, small, with a card."""
    folder = save(tmp_path_factory.mktemp("models") / "reader", "classifiers", "paper_cnn")
    write_json(folder / "calibration.json", {"temperature": 0.25, "threshold": 0.5})
    (folder / "README.md").write_text("---\nlicense: mit\n---\n\n# A card\n")
    return folder


def test_a_reader_is_exported_with_its_temperature_and_describes_itself(reader, unmask_command):
    status, (line,), errors = unmask_command("export", reader)
    assert (status, errors) == (0, [])
    assert line.startswith("reader.onnx: upper [B,1,24,48] -> probabilities; ")
    upper = faces(5, 24)
    with torch.inference_mode():
        wanted = (unmask.load(reader)(torch.from_numpy(upper)) / 0.25).softmax(1).numpy()
    _, found = run("reader.onnx", upper)
    np.testing.assert_allclose(found["probabilities"], wanted, rtol=0, atol=1e-4)
    notes = {entry.key: entry.value for entry in onnx.load("reader.onnx").metadata_props}
    weights = (reader / "weights.safetensors").read_bytes()
    assert notes["sha256"] == hashlib.sha256(weights).hexdigest()
    assert notes["classes"].split(",") == list(CLASSES)
    assert (notes["kind"], notes["view"]) == ("classifier", "upper")
    assert (notes["temperature"], notes["unmask"]) == ("0.25", "0.1.0")
    content = Path("reader.onnx").read_bytes()
    assert str(Path(unmask.__file__).parent).encode() not in content  # no paths of this machine


def test_an_archive_of_torch_export_holds_no_pickle(reader, unmask_command):
    status, (line,), _ = unmask_command("export", reader, "--format", "torch", "--to", "a/b.pt2")
    assert (status, line) == (0, "a/b.pt2: upper [B,1,24,48] -> probabilities")
    parts = zipfile.ZipFile("a/b.pt2")
    contents = [parts.read(name) for name in parts.namelist()]
    assert not any(content.startswith((b"PK", b"\x80")) for content in contents)
    assert not any(str(Path(unmask.__file__).parent).encode() in content for content in contents)
    extra = {export.NOTES: ""}
    program = torch.export.load("a/b.pt2", extra_files=extra).module()
    for count in (1, 5):
        upper = torch.from_numpy(faces(count, 24))
        with torch.inference_mode():
            wanted = (unmask.load(reader)(upper) / 0.25).softmax(1)
        torch.testing.assert_close(program(upper), wanted)
    assert json.loads(extra[export.NOTES])["view"] == "upper"


def test_a_reconstructor_and_a_classifier_go_out_as_one_graph(tmp_path, unmask_command):
    mirror = save(tmp_path / "mirror", "reconstructors", "mirror")
    final = save(tmp_path / "final", "classifiers", "paper_cnn", "stitched mirror")
    status, _, _ = unmask_command("export", mirror, "--classifier", final, "--to", "both.onnx")
    assert status == 0
    upper = faces(3, 24)
    taken, found = run("both.onnx", upper)
    face = np.concatenate([upper, upper[:, :, ::-1]], 2)
    assert (taken, list(found)) == ("upper", ["face", "probabilities"])
    np.testing.assert_array_equal(found["face"], face)
    with torch.inference_mode():
        wanted = unmask.load(final)(torch.from_numpy(face)).softmax(1).numpy()
    np.testing.assert_allclose(found["probabilities"], wanted, rtol=0, atol=1e-4)


def test_what_does_not_fit_together_is_named(tmp_path, reader, unmask_command):
    mirror = save(tmp_path / "mirror", "reconstructors", "mirror")

    def refusal(*words):
        status, out, (line,) = unmask_command("export", *words)
        assert (status, out) == (2, [])
        assert not list(tmp_path.rglob("*.onnx*"))
        return line

    line = refusal(mirror, "--classifier", reader)
    assert line.startswith(f"error: {reader}: a classifier of upper halves; give ")
    line = refusal(reader, "--classifier", reader)
    assert line.startswith(f"error: {reader}: a classifier, which completes no face; ")
    assert f"{mirror}: a reconstructor; " in refusal(mirror, "--classifier", mirror)
    assert "gone: no such folder; " in refusal("gone")
    later = save(tmp_path / "later", "reconstructors", "mirror")
    write_json(later / "config.json", read_json(later / "config.json") | {"format": 99})
    assert "format 99, but this version of unmask reads format 1; " in refusal(later)
    assert "config.json: no such file; " in refusal(tmp_path)
    assert "leave them out" in refusal(reader, "--hub", "hub", "--to", "x.onnx")
    assert "mirror/README.md: no model card" in refusal(mirror, "--hub", "hub")
    (mirror / "README.md").write_bytes("---\ncafé".encode("latin-1"))
    assert "mirror/README.md: not UTF-8; save it as UTF-8" in refusal(mirror, "--hub", "hub")


def test_what_is_there_already_stays_as_it_is(tmp_path, reader, unmask_command):
    for name, words in {"reader.onnx": [], "x.pt2": ["--to", "x.pt2", "--format", "torch"]}.items():
        Path(name).write_text("mine")
        status, _, (line,) = unmask_command("export", reader, *words)
        assert status == 2
        assert line == f"error: {name}: already exists; delete it, or give another name with --to"
        assert Path(name).read_text() == "mine"
    status, _, (line,) = unmask_command("export", reader, "--to", "x.pt2/y.onnx")
    assert status == 2
    assert line.startswith("error: x.pt2")
    assert line.endswith("; fix this and run again")
    assert {path.name for path in tmp_path.iterdir()} == {"reader.onnx", "x.pt2"}


@pytest.mark.parametrize("package", ["onnxruntime", "onnxscript"])
def test_a_missing_extra_is_named(reader, unmask_command, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    status, out, (line,) = unmask_command("export", reader)
    assert (status, out) == (2, [])
    assert line.endswith("; run `pip install -e '.[onnx]'` in the clone")


def test_a_file_that_computes_something_else_is_not_written(reader, unmask_command, monkeypatch):
    monkeypatch.setattr(export, "TOLERANCE", -1.0)
    status, _, (line,) = unmask_command("export", reader)
    assert status == 2
    assert "ONNX Runtime and PyTorch differ by " in line
    assert not list(Path().iterdir())


def test_a_folder_for_a_hub_has_all_that_is_needed(reader, unmask_command):
    status, lines, _ = unmask_command("export", reader, "--hub", "hub")
    assert status == 0
    assert lines[-1] == "  hf upload YOUR_NAME/hub hub"
    assert {path.name for path in Path("hub").iterdir()} == {
        "README.md", "config.json", "weights.safetensors", "calibration.json", "model.onnx"
    }  # fmt: skip
    assert metadata_load("hub/README.md") == {"license": "mit"}
    assert ModelCard.load("hub/README.md").text.strip() == "# A card"
    upper = torch.from_numpy(faces(2, 24))
    assert torch.equal(unmask.load("hub")(upper), unmask.load(reader)(upper))
    status, _, (line,) = unmask_command("export", reader, "--hub", "hub")
    assert "hub: already exists; delete it, or give another name with --hub" in line

"""`unmask fetch` as a user runs it, against a local server in Kaggle's place or none at all."""

import gzip
import io
import os
import shlex
import socket
import subprocess
import sys
import tarfile
import threading
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from dvc.cli import parse_args
from dvc.utils.cli_parse import to_path_overrides
from dvc.utils.hydra import apply_overrides, get_hydra_sweeps
from dvc.utils.serialize import load_yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from stage_runs import stage

from faces_csv import table
from unmask.sources.kaggle import command

SECRET = "sesame-4711"
COMMAND = [sys.executable, "-c", "from unmask.cli.main import main; main()", "fetch"]


def _own(folder):
    """Variables that give a run a home folder of its own and no other credentials."""
    others = (name for name in os.environ if "KAGGLE" in name or "PROXY" in name.upper())
    return dict.fromkeys(others) | {"HOME": str(folder / "home")}


@pytest.fixture(scope="module")
def fetch():
    """Return a function that runs the command."""
    with stage(Path(__file__).with_name("fetch.py")) as running:
        yield lambda folder, *words, **given: running.run(folder, *words, **_own(folder) | given)


def refusal(folder, result):
    """The one line of a run that failed and left nothing."""
    assert result.status == 2
    line, *others = [part for part in result.err.splitlines() if part and "B/s" not in part]
    assert not others
    assert line.startswith("error: ")
    assert SECRET not in result.err + result.out
    assert not [path for path in folder.glob("data/raw/**/*") if path.is_file()]
    return line


@contextmanager
def nobody():
    """An address at which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        _, port = unused.getsockname()
        yield f"http://127.0.0.1:{port}"


@contextmanager
def kaggle(status, body=b"", length=None):
    """A server that answers every request alike; `asked` collects what it was asked for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            code, content = (200, body) if status == 200 else (status, b'{"message": "no"}')
            if status == 404 and "icml" in asked[-1]:
                code, content = 200, body
            self.send_response(code)
            kind = "application/json" if code != 200 else "application/octet-stream"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(length or len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *details):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def credentials(address):
    """An account, and `address` as the way to Kaggle, whose name here is that of this machine."""
    return {
        "KAGGLE_API_TOKEN": SECRET,
        "KAGGLE_API_ENVIRONMENT": "LOCALHOST",
        "http_proxy": address,
        "https_proxy": address,
    }


@cache
def packed():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as file:
        entry = tarfile.TarInfo("fer2013/fer2013.csv")
        entry.size = len(table())
        file.addfile(entry, io.BytesIO(table()))
    return buffer.getvalue()


def test_without_credentials_one_line_says_how_to_get_them(tmp_path, fetch):
    with nobody() as address:
        line = refusal(tmp_path, fetch(tmp_path, http_proxy=address, https_proxy=address))
    assert "no Kaggle credentials; create an API token" in line
    assert "/rules" in line
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("content", [f'"{SECRET}', f'{{"key": "{SECRET}"}}'])
def test_spoilt_credentials_are_refused_without_showing_them(tmp_path, fetch, content):
    file = tmp_path / "home" / ".kaggle" / "kaggle.json"
    file.parent.mkdir(parents=True)
    file.write_text(content)
    assert "kaggle.json: not as Kaggle made it" in refusal(tmp_path, fetch(tmp_path))


def test_without_network_one_line_offers_the_browser(tmp_path, fetch):
    with nobody() as address:
        line = refusal(tmp_path, fetch(tmp_path, **credentials(address)))
    assert "cannot reach Kaggle" in line
    assert "browser" in line


@pytest.mark.parametrize("token", [f"{SECRET}\nx", f"{SECRET}ж"])
def test_token_that_cannot_be_sent_is_not_shown(tmp_path, fetch, token):
    with nobody() as address:
        refusal(tmp_path, fetch(tmp_path, **credentials(address) | {"KAGGLE_API_TOKEN": token}))


@pytest.mark.parametrize(
    ("status", "what"),
    [
        (401, "does not know these credentials"),
        (403, "accept the rules at"),
        (429, "too many requests"),
        (500, "status 500"),
    ],
)
def test_refusals_of_kaggle(tmp_path, fetch, status, what):
    with kaggle(status) as (address, _):
        assert what in refusal(tmp_path, fetch(tmp_path, **credentials(address)))


def test_file_arrives_and_the_next_command_is_printed(tmp_path):
    with kaggle(200, packed()) as (address, asked):
        given = {**os.environ, **_own(tmp_path), **credentials(address)}
        given = {name: value for name, value in given.items() if value is not None}
        run = {"cwd": tmp_path, "env": given, "capture_output": True, "text": True, "timeout": 60}
        result, again = (subprocess.run(COMMAND, check=True, **run) for _ in range(2))
    assert "facial-expression-recognition-challenge" in asked[0]
    assert len(asked) == 1, "a file that is there is not fetched again"
    for run in (result, again):
        assert "dvc exp run -S data.source=data/raw/fer2013.tar.gz" in run.stdout
    assert (tmp_path / "data/raw/fer2013.tar.gz").read_bytes() == packed()
    assert [path.name for path in (tmp_path / "data/raw").iterdir()] == ["fer2013.tar.gz"]


def test_second_file_where_the_first_is_gone(tmp_path, fetch):
    with kaggle(404, table()) as (address, _):
        result = fetch(tmp_path, "--to", "there", **credentials(address))
    assert result.status == 0, result.err
    assert "data.source=there/icml_face_data.csv" in result.out


def test_download_that_breaks_off_leaves_nothing(tmp_path, fetch):
    with kaggle(200, packed(), length=10 * len(packed())) as (address, _):
        assert "broke off" in refusal(tmp_path, fetch(tmp_path, **credentials(address)))


@pytest.mark.parametrize("body", ["web page", "other table", "cut short"])
def test_what_is_not_the_data_does_not_stay(tmp_path, fetch, body):
    content = {
        "web page": b"<html>log in</html>",
        "other table": gzip.compress(b"a,b\n1,2\n"),
        "cut short": packed()[:-100],
    }[body]
    with kaggle(200, content) as (address, _):
        line = refusal(tmp_path, fetch(tmp_path, **credentials(address)))
    assert "what Kaggle sent as fer2013.tar.gz" in line


@pytest.mark.parametrize("folder", ["d", "d (1)", "/absolute/path"])
def test_browser_is_told_the_folder(tmp_path, fetch, folder):
    with nobody() as address:
        result = fetch(tmp_path, "--to", str(tmp_path / folder), **credentials(address))
    assert f"put it into {tmp_path / folder}" in refusal(tmp_path, result)


def source_that_dvc_sees(line, folder):
    """The value of data.source after a shell and `dvc exp run` have read this command."""
    arguments = parse_args(shlex.split(line)[1:])
    ((file, overrides),) = to_path_overrides(arguments.set_param).items()
    assert file == "params.yaml"
    assert len(get_hydra_sweeps({file: overrides})) == 1
    params = folder / file
    params.write_text("data:\n  source: x\n  seed: 1\naudit:\n  remove: exact\n")
    apply_overrides(params, overrides)
    return load_yaml(params)["data"]["source"]


ODD = "()[]{},=#&~'\"$`\\ !*?;|<>%@:^+-.\u00e9\u65e5\u0444\t"


PIECES = st.lists(st.sampled_from(["${", "\\'", "\\${", "\\", "1", "null", *ODD]), min_size=1)
LETTERS = st.text(st.characters(blacklist_categories=("Cc", "Cs"), blacklist_characters="/"))


@given(parts=PIECES | LETTERS)
@example(parts="d (1)")
@example(parts="${oc.env:HOME}")
@example(parts="\\\\${x}\\'")
@example(parts="1e3")
@settings(max_examples=150, deadline=None, derandomize=True)
def test_printed_command_names_the_file_whatever_its_name(tmp_path_factory, parts):
    folder = tmp_path_factory.getbasetemp()
    for path in (Path("".join(parts), "fer2013.tar.gz"), Path("data", "".join(parts))):
        assert source_that_dvc_sees(command(path), folder) == str(path)


@pytest.mark.parametrize(
    "folder", ["d (1)", "it's", 'a "b" $HOME `x`', "\u00e9,{1}", "back\\", "~"]
)
def test_command_printed_by_fetch_runs_as_printed(tmp_path, fetch, folder):
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "icml_face_data.csv").write_bytes(table())
    result = fetch(tmp_path, "--to", folder)
    assert result.status == 0, result.err
    line = result.out.splitlines()[-1].strip()
    shell = subprocess.run(["sh", "-c", line.replace("dvc", "printf %s\\\\n", 1)],
                           capture_output=True, text=True, check=True)  # fmt: skip
    assert shell.stdout.splitlines() == shlex.split(line)[1:]
    assert source_that_dvc_sees(line, tmp_path) == f"{folder}/icml_face_data.csv"


def test_folder_that_dvc_cannot_record_is_refused(tmp_path, fetch):
    assert "not UTF-8" in refusal(tmp_path, fetch(tmp_path, "--to", os.fsdecode(b"d\xe9")))

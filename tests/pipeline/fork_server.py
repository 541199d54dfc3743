"""Runs `dvc`, stages and benchmarks in forked children of a process that has their libraries.

DVC takes a second to import and a stage up to four; a fork takes milliseconds. `programs` starts
`python fork_server.py SOCKET` and returns a folder with a `dvc` and a `python`, which have it run
what they are asked to: there, with that environment and those open files. No code of `unmask` is
imported before a fork, so a clone runs its own. What a benchmark starts is forked too.

DVC reads and writes all of `dvc.lock` at every stage, for the comments that it could have by a
parser in Python, which takes longer than the stages. Here it is written as JSON, which is YAML too.
What it reads as YAML over and over again, as the same `dvc.yaml` at every start, it parses once.

The children are not children of who asked. Tests that stop DVC or a stage, or start a stage in an
unusual way, use the real programs.
"""

import atexit
import contextlib
import gc
import json
import os
import pickle
import runpy
import select
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import traceback
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NoReturn, TextIO

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

LIBRARIES = (
    "dulwich.porcelain", "dulwich.worktree", "dvc.cachemgr", "dvc.cli.parser",
    "dvc.data_cloud", "dvc.repo.artifacts", "dvc.repo.datasets", "dvc.repo.experiments.executor",
    "dvc.repo.experiments.queue.celery", "dvc.repo.experiments.queue.tempdir",
    "dvc.repo.experiments.queue.workspace", "dvc.repo.experiments.run", "dvc.repo.graph",
    "dvc.repo.index", "dvc.repo.open_repo", "dvc.repo.plots", "dvc.repo.reproduce",
    "dvc.repo.stage", "dvc.repo.trie", "dvc.stage.run", "dvc.utils.strictyaml", "dvc_data.fs",
    "dvc_data.hashfile.db.local", "dvclive", "fsspec.implementations.memory", "lightning_fabric",
    "matplotlib.backends.backend_agg", "matplotlib.figure", "networkx", "pandas", "PIL.Image",
    "PIL.JpegImagePlugin", "platformdirs", "psutil", "pydantic.json_schema", "pydantic.main",
    "pygit2", "ruamel.yaml", "safetensors.torch", "scipy.linalg", "scipy.stats",
    "scmrepo.git.backend.pygit2.filter", "torch", "torchvision", "tqdm",
)  # fmt: skip

PROGRAM = """#!/bin/sh
case {name}$1 in
  dvc* | pythonstages/*.py | python/*/stages/*.py | python/*/benchmarks/*.py)
    exec {python} -IS {client} {address} {name} "$@" ;;
  *) exec {python} "$@" ;;
esac
"""


@cache
def programs() -> Path:
    """Start a server that ends with this process, and return the folder of its programs."""
    folder = Path(tempfile.mkdtemp())
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    environment.pop("PYTHONPATH", None)
    server = subprocess.Popen(
        [sys.executable, __file__, folder / "socket"],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert server.stdout.read(1), "the fork server has not started"
    words = {"python": sys.executable, "client": HERE / "fork_client.py"}
    words |= {"address": folder / "socket"}
    words = {word: shlex.quote(str(value)) for word, value in words.items()}
    for name in ("dvc", "python"):
        (folder / name).write_text(PROGRAM.format(name=name, **words))
        (folder / name).chmod(0o755)
    return folder


def serve(address: str) -> None:
    """Run what clients ask for, until standard input is closed."""
    for name in LIBRARIES:
        import_module(name)
    _write_locks_as_json()
    _parse_each_text_once()
    gc.freeze()  # a child that looked for garbage here would copy all of it
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        os.write(1, b"\n")
        while listener in select.select([listener, 0], [], [])[0]:
            client, _ = listener.accept()
            if not os.fork():
                _handle(client, Path(address).with_name("python"))
            client.close()
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
    shutil.rmtree(Path(address).parent)


def _write_locks_as_json() -> None:
    from dvc import dvcfile
    from dvc.utils.serialize import _common, _yaml

    with_comments = dvcfile.modify_yaml

    def modify_yaml(path: str, fs: object = None) -> contextlib.AbstractContextManager[dict]:
        if Path(path).name != "dvc.lock":
            return with_comments(path, fs=fs)
        return _common._modify_data(path, _yaml.parse_yaml, dump, fs=fs)

    def dump(value: dict, file: TextIO) -> None:
        file.write(json.dumps(value))  # in C, as json.dump is not

    dvcfile.modify_yaml = modify_yaml


def _parse_each_text_once() -> None:
    from dvc.utils import serialize, strictyaml

    parse = serialize._yaml.parse_yaml
    parsed: dict[str, bytes] = {}

    def parse_yaml(text: str, path: str, typ: str = "safe") -> object:
        if typ != "safe":
            return parse(text, path, typ)
        if text not in parsed:
            value = json.loads(text) if text.startswith("{") else parse(text, path)
            parsed[text] = pickle.dumps(value)
        return pickle.loads(parsed[text])

    for module in (serialize, serialize._yaml, strictyaml):
        module.parse_yaml = parse_yaml
    for file in [*ROOT.glob("dvc.yaml"), *ROOT.glob("*/dvc.yaml")]:
        parse_yaml(file.read_text(), str(file))


def _handle(client: socket.socket, python: Path) -> NoReturn:
    """Run the command in a child, and tell the client how that has ended."""
    start, files, _, _ = socket.recv_fds(client, 1 << 20, 3)
    request = json.loads(b"".join([start, *iter(lambda: client.recv(1 << 20), b"")]))
    child = os.fork()
    if child:
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        client.sendall(b"%d" % (code if code >= 0 else 128 - code))
        os._exit(0)
    client.close()
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    code: object = 1
    try:
        _run(python, **request)
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    else:
        code = 0
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else code is not None)  # without cleaning up


def _run(python: Path, folder: str, environment: dict[str, str], command: list[str]) -> None:
    """Run the command as a process of its own would; `python` is what a benchmark starts."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    program, *sys.argv = command
    inherited = [part for part in environment.get("PYTHONPATH", "").split(os.pathsep) if part]
    if program == "dvc":
        sys.argv.insert(0, "dvc")
        sys.path[:1] = inherited
    else:
        script = Path(sys.argv[0]).absolute()
        sys.path[:1] = [str(script.parent), *inherited]
        if script.parent.name == "benchmarks":
            sys.executable = str(python)
    sys.modules.pop("sitecustomize", None)
    with contextlib.suppress(ImportError):
        import sitecustomize  # noqa: F401
    if program == "dvc":
        from dvc.cli import main

        sys.exit(main())
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    serve(sys.argv[1])

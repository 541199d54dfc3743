"""Runs one stage repeatedly, each time in a forked child of a process that has imported it.

Starting Python and importing a stage's libraries takes a second or more; a fork takes milliseconds.
`python stage_server.py STAGE` reads a line of JSON for each run, {"folder": ..., "arguments": ...,
"environment": variables that differ, or null for those that are to be without a value}, and answers with a line of JSON: exit status, what was printed, and peak memory in bytes.
"""

import ctypes
import json
import os
import resource
import runpy
import signal
import sys
import tempfile
import traceback
from pathlib import Path

STAGES = Path(__file__).resolve().parents[2] / "stages"

_SECONDS = 100
_MAX_MEMORY = 4 << 30  # so that a bomb that goes off takes down only its own test


def serve(script: str) -> None:
    for request in map(json.loads, sys.stdin):
        print(json.dumps(_run(script, **request)), flush=True)


def _run(
    script: str, folder: str, arguments: list[str], environment: dict[str, str | None]
) -> dict[str, object]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if not child:
            _set_environment(environment)
            _become_stage(script, folder, arguments, out.fileno(), err.fileno())
        _, status, usage = os.wait4(child, 0)
        printed = [_content(file) for file in (out, err)]
    code = os.waitstatus_to_exitcode(status)
    kibibyte = 1024
    return dict(zip(("status", "out", "err", "peak"),
                    (code, *printed, usage.ru_maxrss * kibibyte), strict=True))  # fmt: skip


def _content(file) -> str:
    file.seek(0)
    return file.read().decode(errors="backslashreplace")


def _set_environment(variables: dict[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _become_stage(script: str, folder: str, arguments: list[str], out: int, err: int) -> None:
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        signal.alarm(_SECONDS)
        resource.setrlimit(resource.RLIMIT_DATA, (_MAX_MEMORY, _MAX_MEMORY))
        _obey_permissions()
        os.chdir(folder)
        sys.argv = [script, *arguments]
        runpy.run_path(script, run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _obey_permissions() -> None:
    """Keep root, as which tests run in containers, from reading files without read permission."""
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        return
    version_3, overrides = 0x20080522, 0b110  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
    header = (ctypes.c_uint32 * 2)(version_3, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice
    libc = ctypes.CDLL(None)
    libc.capget(header, sets)
    for index in range(3):
        sets[index] &= ~overrides
    libc.capset(header, sets)


if __name__ == "__main__":
    stage = str(STAGES / sys.argv[1])
    sys.path.insert(0, str(STAGES))  # for the `_source` that each stage imports first
    runpy.run_path(stage, run_name="imported")
    serve(stage)

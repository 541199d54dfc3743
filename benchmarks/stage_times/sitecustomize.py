"""Put on PYTHONPATH by the benchmarks: observes DVC and each stage that it runs.

Appends lines of JSON to the file UNMASK_STAGE_TIMES, two for each stage. One is from the stage's
process when it ends: the processor seconds of its threads and children by what it did. `imports`
is everything until `main` is called, and every import after that; `reading` and `writing` are the
functions of `unmask` whose names say so; `computing` is the rest. The other is from DVC: when the
stage began and ended (seconds since 1970), its processor seconds from outside, and what DVC itself
had used before.
"""

import atexit
import functools
import json
import os
import re
import resource
import time
from _thread import get_ident
from importlib import _bootstrap
from types import FunctionType

_READING = re.compile(r"_?(open|read|load|check_(appended|beside))(_|$)")
_WRITING = re.compile(r"_?(write|save|append|close|flush|log|copy_to)(_|$)")
_GENERATOR = 0x20  # in a function's co_flags; calling it does nothing yet

_file = os.environ.get("UNMASK_STAGE_TIMES")
_main_thread = get_ident()
_spent = {"imports": 0.0, "reading": 0.0, "computing": 0.0, "writing": 0.0}
_doing, _mark = "imports", 0.0


def _children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _note(line):
    with open(_file, "a") as file:  # noqa: PTH123, pathlib would be imported for this alone
        file.write(f"{json.dumps(line)}\n")


def _switch(to):
    """Charge what was used since the last switch; return what the stage was doing."""
    global _doing, _mark
    before, used = _doing, time.process_time() + _children()
    _spent[before] += used - _mark
    _doing, _mark = to, used
    return before


def _observed(what, function):
    """Return `function`, charged to `what`; an import counts as one wherever it happens."""

    @functools.wraps(function)
    def observed(*words, **settings):
        nested = what in ("reading", "writing") and _doing != "computing"
        if nested or what == _doing or get_ident() != _main_thread:
            return function(*words, **settings)
        before = _switch(what)
        try:
            return function(*words, **settings)
        finally:
            _switch(before)

    return observed


def _observe(owner, module):
    """Replace the functions of a module or class that read or write by observed ones."""
    for name, value in list(vars(owner).items()):
        if isinstance(value, type) and value.__module__ == module and owner is not value:
            _observe(value, module)
        bound = isinstance(value, classmethod)
        function = value.__func__ if bound else value
        if not isinstance(function, FunctionType) or function.__module__ != module:
            continue
        what = "reading" if _READING.match(name) else "writing" if _WRITING.match(name) else ""
        if what and not function.__code__.co_flags & _GENERATOR:
            observed = _observed(what, function)
            setattr(owner, name, classmethod(observed) if bound else observed)


def _observe_stage():
    seen = set()
    find_and_load = _observed("imports", _bootstrap._find_and_load)

    def load(name, import_):
        module = find_and_load(name, import_)
        if name.startswith("unmask.") and name not in seen:
            seen.add(name)
            _observe(module, name)
            if name == "unmask.core.stage":
                run = module.run
                module.run = lambda main, **settings: run(_observed("computing", main), **settings)
        return module

    # The interpreter calls this for each module that is not imported yet, and only then.
    _bootstrap._find_and_load = load
    name, pid, exit_ = os.environ["DVC_STAGE"], os.getpid(), os._exit
    del os.environ["UNMASK_STAGE_TIMES"]  # not for the processes that a stage starts

    def end():
        if os.getpid() == pid:
            _note({"stage": name, **_spent})

    def exit_at_once(status):
        end()
        exit_(status)

    atexit.register(end)
    os._exit = exit_at_once


def _observe_dvc():
    import subprocess

    class Popen(subprocess.Popen):
        def __init__(self, *words, **settings):
            self._stage = (settings.get("env") or {}).get("DVC_STAGE")
            self._before = {"began": time.time(), "dvc": time.process_time()}
            self._children = _children()
            super().__init__(*words, **settings)

        def communicate(self, *words, **settings):
            printed = super().communicate(*words, **settings)
            if self._stage:
                after = {"ended": time.time(), "processor": _children() - self._children}
                _note({"stage": self._stage, **self._before, **after})
            return printed

    subprocess.Popen = Popen


if _file and "DVC_STAGE" in os.environ:
    _observe_stage()
elif _file:
    _observe_dvc()

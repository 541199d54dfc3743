"""Reading one section of `params.yaml`, typed and checked."""

from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from reprlib import Repr
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML

from unmask.core.errors import UserError, printable

FILE = "params.yaml"

Seed = Annotated[int, Field(ge=0, lt=2**63)]

_LONGEST = 400
_SHORT = Repr()
_SHORT.maxlevel, _SHORT.maxlist, _SHORT.maxdict = 2, 4, 4
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = 60


class Section(BaseModel):
    """Base of every section: unknown keys, wrong types and impossible values are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


S = TypeVar("S", bound=BaseModel)


def read(model: type[S], key: str = "", file: str | Path = FILE) -> S:
    """Return the section of `file` under the dotted `key` as a `model`.

    Raises UserError, one line that names the key, what is wrong with it and what is allowed.
    """
    value = load(file)
    for part in filter(None, key.split(".")):
        if not isinstance(value, dict) or part not in value:
            raise UserError(f"{file}: {key}: missing; restore this key")
        value = value[part]
    return check(model, value, key, file)


def load(file: str | Path = FILE) -> dict[str, Any]:
    """Return all of `file` as plain values."""
    try:
        value = _parsed(Path(file).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{file}: no such file; run from the top of the repository") from None
    except OSError:
        raise
    except Exception as error:  # the parser raises almost anything beside its YAMLError
        where = getattr(error, "problem_mark", None)
        line = f":{where.line + 1}" if where else ""
        raise UserError(f"{file}{line}: not valid YAML; fix the syntax") from None
    if not isinstance(value, dict):
        raise UserError(f"{file}: not a mapping of parameters; restore it from git")
    return deepcopy(value)


@lru_cache(maxsize=1)  # a stage reads several sections, and parsing takes longer than all else
def _parsed(text: str) -> Any:
    # YAML 1.2, as DVC reads and writes it: 1e-05 is a number there, and text in YAML 1.1.
    return YAML(typ="safe", pure=True).load(text)


def check(model: type[S], value: Any, key: str = "", file: str | Path = FILE) -> S:
    """Return `value`, which is under `key` in `file`, as a `model`, or raise UserError."""
    try:
        return model.model_validate(value)
    except UnicodeError:
        where = f"{key}: " if key else ""
        raise UserError(f"{file}: {where}half of a character (\\ud800 or so); remove it") from None
    except ValidationError as error:
        # A misspelt key is unknown, and the right one is missing; the former says more.
        fault = min(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
        where = ".".join(str(part) for part in (*filter(None, key.split(".")), *fault["loc"]))
        raise UserError(
            f"{file}: {_plain(where or key)}: {_plain(_explain(model, fault))}"
        ) from None


def _explain(model: type[BaseModel], fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        allowed = ", ".join(_owner(model, fault["loc"][:-1]).model_fields) or "none"
        return f"unknown key; allowed here: {allowed}"
    if fault["type"] == "missing":
        return "missing; restore this key"
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"])
    message = fault["msg"]
    return f"{message[:1].lower()}{message[1:]}, not {_shown(fault['input'])}"


def _shown(value: Any) -> str:
    """Return a value as Python writes it, cut short: a little YAML can expand to gigabytes."""
    try:
        return _SHORT.repr(value)
    except ValueError:  # an integer of thousands of digits
        return f"such a long {type(value).__name__}"


def _plain(text: str) -> str:
    """Return a text that may hold names from the file as one printable line, not too long."""
    line = printable(text)
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."


def _owner(model: type[BaseModel], path: tuple[Any, ...]) -> type[BaseModel]:
    """Return the model of the section that `path` leads to from `model`."""
    for part in path:
        field = model.model_fields.get(part)
        if field is None:
            break
        for candidate in (field.annotation, *get_args(field.annotation)):
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                model = candidate
    return model

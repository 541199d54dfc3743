"""Parameters made up by Hypothesis: a section of the right types, or one line with the key."""

import copy
import datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from unmask.core.errors import UserError
from unmask.core.section import check, load
from unmask.params.schema import Params

SHIPPED = yaml.safe_load((Path(__file__).resolve().parents[2] / "params.yaml").read_text())
LONGEST = 1000


def places(value, path=()):
    """Every path in a tree of parameters."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, key))


PLACES = list(places(SHIPPED))

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=9)
    | st.datetimes()
    | st.just(datetime.date(2024, 2, 29))
    | st.sampled_from(["none", "auto", "unet", "../x", "__init__", "resnet", "", "1e-5", 10**400])
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=9) | st.integers(), inner, max_size=3)
    ),
    max_leaves=6,
)


def check_message(error, word=""):
    message = str(error)
    assert message.startswith("params.yaml")
    assert message.isprintable()
    assert len(message) < LONGEST
    assert "; " in message or ", not " in message or "allowed here" in message
    assert word in message


def outcome(values, word):
    try:
        assert isinstance(check(Params, values), Params)
    except UserError as error:
        check_message(error, word)


@given(place=st.sampled_from(PLACES), value=_VALUES)
@example(place=("train", "seed"), value=10**5000)
def test_a_changed_value_is_accepted_or_refused_by_its_key(place, value):
    values = copy.deepcopy(SHIPPED)
    inner = values
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    outcome(values, place[0])


@given(place=st.sampled_from(PLACES), name=st.text(max_size=9) | st.integers(), value=_VALUES)
def test_an_extra_key_is_accepted_or_refused_by_its_name(place, name, value):
    values = copy.deepcopy(SHIPPED)
    inner = values
    for key in place[:-1]:
        inner = inner[key]
    if isinstance(inner, list):
        inner.append(value)
    else:
        inner[name] = value
    outcome(values, place[0] if len(place) > 1 else "")


@given(place=st.sampled_from(PLACES))
def test_a_missing_key_is_named(place):
    values = copy.deepcopy(SHIPPED)
    inner = values
    for key in place[:-1]:
        inner = inner[key]
    del inner[place[-1]]
    outcome(values, place[0])


_YAML = st.lists(
    st.sampled_from(
        ["a", "b", "1", "1e5", ".nan", ".inf", "0x1f", "0o7", "~", "true", ": ", ":", "\n", "\n  ",
         "- ", "[", "]", "{", "}", ", ", "&a ", "*a", "!!int ", "!!float ", "!!set ", "!!binary ",
         "!!timestamp ", "!!omap ", "!!pairs ", "!!null ", "!!bool ", "!x ",
         "!!python/name:os.mkdir ",
         "<<: ", "? ", "| ", "> ", "'", '"', "\\", "\\ud800", "#", " ", "\t",
         "%YAML 1.1", "%TAG ! x",
         "---", "...", "2024-02-30", "2024-01-01T00:00:00+99:99", "12:30:45", "=", "@", "`", "é"]
    ),
    max_size=12,
).map("".join)  # fmt: skip


@given(text=_YAML | st.text(max_size=40))
@example(text="a: " + "[" * 1100)  # deeper than the stack, which Hypothesis doubles
@example(text="a: " + "9" * 5000)
@example(text="a: !!int ")
@example(text="a: !!float ")
@example(text="a: !!timestamp x")
@example(text="a: !!bool x")
def test_a_text_is_read_as_a_mapping_or_refused_by_its_line(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_bytes(text.encode(errors="surrogatepass"))
    try:
        assert isinstance(load(), dict)
    except UserError as error:
        check_message(error)
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


def laughing(levels):
    """A few lines that expand to ten to the power of `levels` words."""
    lines = ["l0: &l0 [" + ", ".join(["lol"] * 10) + "]"]
    for level in range(1, levels):
        lines.append(f"l{level}: &l{level} [" + ", ".join([f"*l{level - 1}"] * 10) + "]")
    return "\n".join(lines)


def test_a_value_that_repeats_itself_is_not_written_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(laughing(9) + "\ntrain: *l8\n")
    with pytest.raises(UserError) as refused:
        check(Params, {**SHIPPED, "train": load()["train"]})
    check_message(refused.value, "train")


def test_a_value_that_holds_itself_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("train: &t {seed: *t}\n")
    with pytest.raises(UserError) as refused:
        check(Params, {**SHIPPED, "train": load()["train"]})
    check_message(refused.value, "train")


def test_half_a_character_is_refused():
    with pytest.raises(UserError, match="half of a character"):
        check(Params, {**SHIPPED, "classifiers": {"\ud800": {}}})

"""Checkpoints whose weights are nested, or have names with a prefix, and cannot be taken."""

import os
from collections import OrderedDict

import torch
from cases import Case, put
from checkpoints import CANARY, CODE, GOOD, NETWORK, NO_DICT, Runs, only, pth, rezipped, safe, saved
from safetensors.torch import save

_NAN = "nan or infinity; take a checkpoint of plain numbers"


def _different(which: str) -> str:
    return f"different weights fit ({which}); keep only those to be used"


def _other(names: str) -> str:
    return f"weights of another network: names begin with {names}; {NETWORK}"


def _under(key: str, name: str, content, what: str) -> Case:
    return Case(f"weights: {name}", put(content, "w.pth"), f"w.pth, {key}: {what}", source="w.pth")


def prefixed(prefix: str, weights: dict[str, torch.Tensor] = GOOD) -> dict[str, torch.Tensor]:
    return {prefix + name: tensor for name, tensor in weights.items()}


class Replaces:
    """Pickles to an OrderedDict whose methods are numbers."""

    def __init__(self, values: dict[str, object]) -> None:
        self.values = values

    def __reduce__(self):
        methods = dict.fromkeys(("items", "keys", "values", "get", "__iter__"), 1)
        return OrderedDict, (), methods, None, iter(self.values.items())


def _levels(count: int) -> dict[str, object]:
    """Weights under so many keys."""
    value: dict[str, object] = dict(GOOD)
    for _ in range(count):
        value = {"a": value}
    return value


def _cyclic() -> dict[str, object]:
    value: dict[str, object] = {"weight": GOOD["weight"]}
    return value | {"a": value, "b": [value], "c": {"d": value}}


def _own_methods() -> torch.Tensor:
    tensor = torch.full((2, 3), torch.nan)
    tensor.to = tensor.detach = tensor.isfinite = 1  # kept in the file
    return tensor


NO_BIAS, NAN = {"weight": GOOD["weight"]}, GOOD | {"weight": torch.full((2, 3), torch.nan)}
OTHER = {name: torch.zeros(2) for name in ("blocks.0.a", "blocks.1.a", "patch_embed.a")}
HIGHER = {name: tensor + 1 for name, tensor in GOOD.items()}

WRAPPED = [
    pth("a list of state dicts", lambda: saved([GOOD]), NO_DICT),
    pth("settings without weights", lambda: saved({"epoch": 3, "args": {"lr": 1.0}}), only("epoch, args")),
    pth("weights in a list", lambda: saved({"models": [GOOD]}), only("models")),
    pth("weights of another network", lambda: saved(OTHER), _other("blocks., patch_embed.")),
    pth("prefixed weights of another network", lambda: saved(prefixed("module.", OTHER)), _other("module.blocks., module.patch_embed.")),
    safe("safetensors of another network", lambda: save(OTHER), _other("blocks., patch_embed.")),
    pth("many kinds of names", lambda: saved({f"{letter}.x": GOOD["bias"] for letter in "pqrstu"}), _other("p., q., r., s., ...")),
    _under("foo", "another network under a key", lambda: saved({"foo": OTHER, "epoch": 3}), _other("blocks., patch_embed.")),
    _under("net", "a missing weight under a key", lambda: saved({"net": prefixed("module.", NO_BIAS)}), f"no weights module.bias; {NETWORK}"),
    _under("a.b", "nan under two keys", lambda: saved({"a": {"b": prefixed("module.", NAN)}}), f"module.weight holds {_NAN}"),
    safe("a prefixed weight of a wrong shape", lambda: save(prefixed("backbone.", GOOD | {"weight": torch.ones(2, 2)})), f"backbone.weight has the shape [2, 2], not [2, 3]; {NETWORK}"),
    safe("a missing weight after a prefix", lambda: save(prefixed("module.backbone.", NO_BIAS)), f"no weights module.backbone.bias; {NETWORK}"),
    pth("a prefix for some names", lambda: saved(prefixed("module.", NO_BIAS) | {"bias": GOOD["bias"]}), f"no weights module.bias, but bias; {NETWORK}"),
    pth("another prefix for some names", lambda: saved({"model.weight": GOOD["weight"], "net.bias": GOOD["bias"]}), f"no weights model.bias, but net.bias; {NETWORK}"),
    pth("two prefixes that fit", lambda: saved(prefixed("a.") | prefixed("b.", HIGHER)), _different("names without a.; names without b.")),
    pth("two keys that fit", lambda: saved({"net": GOOD, "best": HIGHER}), _different("from net; from best")),
    pth("weights outside and under a key", lambda: saved(GOOD | {"a|b": HIGHER}), _different("not nested; from a?b")),
    pth("thousands of keys that fit", lambda: saved({str(n): {"weight": GOOD["weight"] + n, "bias": GOOD["bias"]} for n in range(3000)}), _different("...")),
    pth("an optimiser's state alone", lambda: saved({"optimizer": {"exp_avg": GOOD}, "epoch": 1}), only("optimizer, epoch")),
]  # fmt: skip

EVIL = [
    _under("??31m??", "a key of control characters", lambda: saved({"\x1b[31m\r\n": {"x": GOOD["bias"]}}), _other("x")),
    pth("names of control characters", lambda: saved({"\x1b[2J\u202e\ud800.\n": GOOD["bias"]}), _other("??2J??.?")),
    safe("safetensors with control characters", lambda: save({"\x1b[2J.\n": GOOD["bias"]}), _other("??2J.?")),
    pth("a name of ten megabytes", lambda: saved({"x" * 10_000_000: GOOD["bias"]}), only("...")),
    pth("a key of ten megabytes", lambda: saved({"x." * 5_000_000: GOOD}), only("...")),
    pth("a prefix of ten megabytes", lambda: saved(prefixed("." * 10_000_000)), only("...")),
    pth("a long prefix for some names", lambda: saved({"p" * 400 + ".weight": GOOD["weight"]}), f"no weights {'p' * 60}...bias; {NETWORK}"),
    pth("weights under 100 keys", lambda: saved(_levels(100)), only("a")),
    pth("a mapping nested 100,000 times", lambda: rezipped(saved(GOOD), data_pkl=b"\x80\x02" + b"}U\1a" * 100_000 + b"K\1" + b"s" * 100_000 + b"."), only("a")),
    pth("a mapping in itself", lambda: saved(_cyclic()), f"no weights bias; {NETWORK}"),
    pth("keys that are not text", lambda: saved({None: GOOD, (1, 2): GOOD, 1.5: GOOD["bias"], b"weight": GOOD["bias"]}), NO_DICT),
    pth("a key of hundreds of digits", lambda: saved({1 << 2000: GOOD, "a": 1}), only("a")),
    pth("a mapping without methods", lambda: saved(Replaces(NO_BIAS)), f"no weights bias; {NETWORK}"),
    pth("a nested mapping without methods", lambda: saved({"a": Replaces({}), "b": Replaces({"c": 1})}), only("a, b")),
    pth("a tensor with its own methods", lambda: saved(GOOD | {"weight": _own_methods()}), f"weight holds {_NAN}"),
    pth("a petabyte of one number", lambda: saved(GOOD | {"weight": torch.ones(1).expand(1 << 24, 1 << 24)}), f"weight has the shape [16777216, 16777216], not [2, 3]; {NETWORK}"),
    pth("code beside the weights", lambda: saved({"state_dict": GOOD, "args": Runs(os.mkdir, CANARY)}), CODE),
]  # fmt: skip

"""Pretrained weights: published by torchvision, or from a local checkpoint, checked."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from os.path import commonprefix
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torchvision.models import WeightsEnum

from unmask.core.checksum import of_file
from unmask.core.errors import UserError
from unmask.models.checkpoint_file import read_checkpoint, shown

_FLOATS = {torch.float16, torch.bfloat16, torch.float32, torch.float64}
_INTEGERS = {torch.int32, torch.int64}

_AVERAGED = re.compile(r"(^|[._])(ema|swa|teacher)([._]|$)")
_OPTIMISER = re.compile(r"(^|[._])optim(i[sz]ers?)?([._]|$)")
_DEEPEST, _MOST_MAPPINGS, _LONGEST_NAME = 8, 10_000, 500  # that are searched in a checkpoint
_MOST_SHOWN = 4


class _Weights(NamedTuple):
    """Tensors under a key (`a.b` if nested); `fitting` of a network's names follow `prefix`."""

    key: str
    tensors: Mapping[str, Tensor]
    prefix: str = ""
    fitting: int = 0

    def has(self, name: str) -> bool:
        return self.prefix + name in self.tensors

    def get(self, name: str) -> Tensor:
        """Return a tensor, free of attributes that a file can give it, such as its own `to`."""
        return Tensor.detach(self.tensors[self.prefix + name])

    def match(self, pattern: re.Pattern[str]) -> bool:
        return pattern.search(f"{self.key}.{self.prefix}".lower()) is not None

    def place(self, source: str) -> str:
        return f"{source}, {shown(self.key)}" if self.key else source

    def described(self) -> str:
        """Return in words what is taken off the tensors and their names, or nothing."""
        prefix = self.prefix and f"names without {shown(self.prefix)}"
        return ", ".join(filter(None, (prefix, self.key and f"from {shown(self.key)}")))


def load_pretrained(
    module: nn.Module, choice: str, published: WeightsEnum | None
) -> dict[str, str]:
    """Load weights into `module`, whose names are torchvision's; return what identifies them.

    choice: `none` leaves the module as it is, `imagenet` loads the published weights, anything else
        is the path of a checkpoint: `.safetensors`, or a state dict written by `torch.save`. It may
        hold other layers as well, and be nested, as in {"state_dict": ..., "epoch": 3}. Its names
        may share a prefix, such as `module.`. What was taken off is part of what is returned.

    If several weights fit, names without a prefix come before others beside them, then those that
    can be loaded, then averages (`ema`, `swa`, `teacher`); the state of an optimiser is left out.
    If this leaves different ones, they are refused.

    Raises UserError if the weights are not available, do not match this module's names and shapes,
    or are where the pipeline keeps its own.
    """
    if choice == "none":
        return {"pretrained": "none"}
    if choice == "imagenet" and published:
        return {"pretrained": _copy(_download(published), module, str(published))}
    if _is_made_by_the_pipeline(Path(choice)):
        raise UserError(
            f"{choice}: a model of the pipeline, which may become another one while what started "
            "from it stays; copy it to a name of its own, such as weights/faces.safetensors"
        )
    what = _copy(read_checkpoint(Path(choice)), module, choice)
    return {"pretrained": what, "pretrained_sha256": of_file(Path(choice))}


def _is_made_by_the_pipeline(path: Path) -> bool:
    return path.resolve().is_relative_to(Path("models").resolve())


def _copy(checkpoint: Mapping[Any, Any], module: nn.Module, source: str) -> str:
    """Copy a checkpoint's weights into `module`; return `source` and what was taken off."""
    state = module.state_dict()
    weights = _choose(checkpoint, state, source)
    for name, tensor in state.items():
        if not weights.has(name):  # a count of batches: older checkpoints have none
            continue
        given = state[name] = weights.get(name)
        if fault := _fault(given, tensor):
            raise UserError(f"{weights.place(source)}: {shown(weights.prefix)}{name} {fault}")
    module.load_state_dict(state)
    taken_off = weights.described()
    return f"{source} ({taken_off})" if taken_off else source


def _choose(checkpoint: Mapping[Any, Any], state: Mapping[str, Tensor], source: str) -> _Weights:
    """Return the weights of a network whose state is like `state`; see `load_pretrained`."""
    expected = {n: tensor for n, tensor in state.items() if not n.endswith("num_batches_tracked")}
    places = list(_places(checkpoint))
    if not places:
        keys = _listed([key for key in checkpoint if isinstance(key, str)])
        only = f", only {keys}" if keys else ""
        raise UserError(f"{source}: not a mapping of names to tensors{only}; take a state dict")
    options = [option for place in places for option in _options(place, set(expected))]
    complete = [option for option in options if option.fitting == len(expected)]
    if not complete:
        raise UserError(_missing(places, options, list(expected), source))
    plain = [option.key for option in complete if not option.prefix]
    complete = [option for option in complete if not option.prefix or option.key not in plain]
    sound = [o for o in complete if not any(_fault(o.get(n), t) for n, t in expected.items())]
    averaged = [option for option in sound if option.match(_AVERAGED)]
    first, *others = averaged or sound or complete[:1]  # `_copy` says what is wrong with the last
    pairs = ((first.get(n), o.get(n), t.dtype) for o in others for n, t in expected.items())
    if not all(torch.equal(one.to(dtype), other.to(dtype)) for one, other, dtype in pairs):
        found = "; ".join(option.described() or "not nested" for option in (first, *others[:3]))
        raise UserError(f"{source}: different weights fit ({found}); keep only those to be used")
    return first


def _places(checkpoint: Mapping[Any, Any]) -> Iterator[_Weights]:
    """Yield the mappings in a checkpoint that hold tensors by name, outermost first.

    Their methods are not called: a file can replace those of an OrderedDict.
    """
    waiting: list[tuple[str, Mapping[Any, Any]]] = [("", checkpoint)]
    seen = set[int]()
    for key, mapping in waiting:
        if id(mapping) in seen or len(seen) == _MOST_MAPPINGS:
            continue
        seen.add(id(mapping))
        names = [n for n in mapping if isinstance(n, str) and 0 < len(n) <= _LONGEST_NAME]
        place = _Weights(key, {n: mapping[n] for n in names if isinstance(mapping[n], Tensor)})
        if place.tensors and not place.match(_OPTIMISER):
            yield place
        if key.count(".") < _DEEPEST:
            nested = [name for name in names if isinstance(mapping[name], dict)]
            waiting += [(f"{key}.{name}" if key else name, mapping[name]) for name in nested]


def _options(place: _Weights, names: set[str]) -> list[_Weights]:
    """Return `place` once for each prefix under which it has any of the names."""
    lengths = {len(name) for name in names}
    counts = Counter(
        name[:-length]
        for name in place.tensors
        for length in lengths
        if len(name) >= length and name[-length:] in names
    )
    options = (place._replace(prefix=prefix, fitting=count) for prefix, count in counts.items())
    return [option for option in options if not option.match(_OPTIMISER)]


def _missing(places: list[_Weights], options: list[_Weights], names: list[str], source: str) -> str:
    """Return what to say if no weights are complete: what they lack, or what they are instead."""
    best = max(options, key=lambda option: option.fitting, default=places[0])
    if 10 * best.fitting < len(names):  # other networks have a few of the names, too
        best = max(places, key=lambda place: len(place.tensors))
        stem = commonprefix(list(best.tensors)).rfind(".") + 1  # noqa: RUF071 (not of paths)
        begin = _listed([name[: f"{name}.".find(".", stem) + 1] for name in best.tensors])
        what = f"weights of another network: names begin with {begin}"
    else:
        name = next(name for name in names if not best.has(name))
        what = f"no weights {shown(best.prefix)}{name}"
        rest = [o for o in options if o.key == best.key and o.fitting == len(names) - best.fitting]
        alike = [shown(other.prefix) + name for other in rest if other.has(name)]
        what += f", but {alike[0]}" if alike else ""
    return f"{best.place(source)}: {what}; take a checkpoint of this network"


def _listed(names: Sequence[str]) -> str:
    """Return the first few different names."""
    few = [shown(name) for name in dict.fromkeys(names)]
    return ", ".join([*few[:_MOST_SHOWN], *(["..."] if len(few) > _MOST_SHOWN else [])])


def _fault(tensor: Tensor, expected: Tensor) -> str | None:
    """Return what is wrong with a tensor and what to do, or None if nothing is."""
    numbers, network = "take a checkpoint of plain numbers", "take a checkpoint of this network"
    if tensor.layout != torch.strided or tensor.is_nested or tensor.is_quantized or tensor.is_meta:
        return f"holds something other than a plain tensor; {numbers}"
    if tensor.dtype not in (_FLOATS if expected.is_floating_point() else _FLOATS | _INTEGERS):
        return f"holds {tensor.dtype} instead of {expected.dtype}; {numbers}"
    if tensor.shape != expected.shape:
        return f"has the shape {list(tensor.shape)}, not {list(expected.shape)}; {network}"
    is_finite = torch.isfinite(tensor.to(expected.dtype)).all()
    return None if is_finite else f"holds nan or infinity; {numbers}"


def _download(weights: WeightsEnum) -> Mapping[str, Tensor]:
    try:
        state: Mapping[str, Tensor] = weights.get_state_dict(check_hash=True, weights_only=True)
        return state
    except (OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"{weights}: cannot be downloaded ({reason}); download {weights.url} elsewhere and set "
            "`pretrained` to its path, or do without: `pretrained: none`"
        ) from None

"""Checkpoints that are damaged, for another network, or made to run code or fill memory."""

import gzip
import io
import json
import os
import pickle
import struct
import zipfile
from argparse import Namespace
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import torch
import wrapped_weights
from cases import Case
from checkpoints import (
    AGAIN,
    CANARY,
    CODE,
    GOOD,
    NETWORK,
    NO_DICT,
    Runs,
    only,
    pth,
    rezipped,
    safe,
    saved,
)
from safetensors.torch import save
from torch import nn

_KIND = "weight holds ...; take a checkpoint of plain numbers"
_PACKED = "compressed or with overlapping files, which torch.save never writes; get it again"


class Sets:
    """Pickles to an object whose state is set by a call."""

    def __reduce__(self):
        return Runs(os.mkdir, CANARY).__reduce__()

    def __getstate__(self):
        return {"a": 1}


def tensors(header: object, data: bytes = bytes(32), length: int | None = None) -> bytes:
    """A safetensors file with this header, which may claim another length than it has."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def _header(**weight: object) -> dict[str, object]:
    right = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
    return {
        "weight": right | weight,
        "bias": {"dtype": "F32", "shape": [2], "data_offsets": [24, 32]},
    }


def _nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


def _evil_pickle(protocol: int) -> bytes:
    return pickle.dumps({"weight": Runs(os.mkdir, CANARY)}, protocol=protocol)


def _lying_storage() -> bytes:
    """A checkpoint with a tensor that reaches far beyond its storage."""
    right = saved(GOOD)
    with zipfile.ZipFile(io.BytesIO(right)) as archive:
        code = archive.read("archive/data.pkl")
    return rezipped(right, data_pkl=code.replace(b"K\x02K\x03\x86", b"M\xff\xffM\xff\xff\x86"))


def _bomb_in_storage() -> bytes:
    return rezipped(saved(GOOD), zipfile.ZIP_DEFLATED, **{"0": bytes(1 << 26)})


def _bomb_in_code() -> bytes:
    return rezipped(saved(GOOD), zipfile.ZIP_DEFLATED, data_pkl=bytes(1 << 26))


def _shared_members(count: int) -> bytes:
    """A checkpoint whose directory lists the same bytes again and again."""
    content = saved({"weight": torch.ones(1 << 16)})
    start = content.rindex(b"PK\x01\x02", 0, content.rindex(b"archive/data/0"))
    directory = content[start : content.index(b"PK\x01\x02", start + 4)] * count
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, len(directory), start, 0)
    return content[:start] + directory + end


def _jit() -> bytes:
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(nn.Linear(3, 2)), buffer)
    return buffer.getvalue()


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "w.pth")


def _with(value: torch.Tensor) -> Callable[[], bytes]:
    return lambda: saved(GOOD | {"weight": value})


DAMAGED = [
    Case("weights: a missing file", lambda folder: None, "w.pth: no such file; fix `pretrained`", source="w.pth"),
    Case("weights: a folder", lambda folder: (folder / "w.pth").mkdir(), "w.pth: not a file; fix `pretrained`", source="w.pth"),
    Case("weights: a named pipe", _pipe, "w.pth: not a file; fix `pretrained`", source="w.pth"),
    Case("weights: a device", lambda folder: None, "/dev/zero: not a file; fix `pretrained`", source="/dev/zero"),
    pth("an empty file", b"", AGAIN),
    pth("a web page", b"<html>log in</html>", "a web page, perhaps a login page; get it again"),
    pth("an XML error of a storage service", b'<?xml version="1.0"?><Error/>', "a web page, perhaps a login page; get it again"),
    pth("a checkpoint cut short", lambda: saved(GOOD)[:-40], AGAIN),
    pth("a git-lfs pointer", b"version https://git-lfs.github.com/spec/v1\n", "a git-lfs pointer, not the weights; run `git lfs pull`"),
    safe("a git-lfs pointer to safetensors", b"version https://git-lfs.github.com/spec/v1\n", "a git-lfs pointer, not the weights; run `git lfs pull`"),
    pth("a DVC pointer", b"outs:\n- md5: 22af\n", "a DVC pointer, not the weights; run `dvc pull`, and name the file itself"),
    pth("weights of Keras", b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file, as Keras writes it; take a checkpoint of PyTorch"),
    pth("a packed checkpoint", lambda: gzip.compress(saved(GOOD)), "packed with gzip; unpack it"),
    pth("settings of argparse beside weights", lambda: saved({"model": GOOD, "args": Namespace(lr=1)}), "not a checkpoint of plain weights (it holds argparse.Namespace), and not read, ..."),
    pth("a number of NumPy beside weights", lambda: saved({"model": GOOD, "accuracy": np.float64(0.5)}), "not a checkpoint of plain weights (it holds numpy._core.multiarray.scalar), and not read, ..."),
    pth("a date beside weights", lambda: saved({"model": GOOD, "saved": date(2026, 1, 1)}), "not a checkpoint of plain weights (it holds datetime.date), and not read, ..."),
    pth("a list of tensors", lambda: saved(list(GOOD.values())), NO_DICT),
    pth("text instead of a tensor", lambda: saved({"weight": "text"}), only("weight")),
    pth("a missing weight", lambda: saved({"weight": GOOD["weight"]}), f"no weights bias; {NETWORK}"),
    pth("numbers instead of names", lambda: saved(dict(enumerate(GOOD.values()))), NO_DICT),
    pth("a wrong shape", lambda: saved(GOOD | {"weight": torch.ones(3, 2)}), f"weight has the shape [3, 2], not [2, 3]; {NETWORK}"),
    pth("weights that are not numbers", _with(torch.full((2, 3), torch.nan)), "weight holds nan or infinity; take a checkpoint of plain numbers"),
    pth("infinite weights", _with(torch.full((2, 3), torch.inf)), "weight holds nan or infinity; take a checkpoint of plain numbers"),
    pth("complex weights", _with(torch.ones(2, 3, dtype=torch.complex64)), _KIND),
    pth("integer weights", _with(torch.ones(2, 3, dtype=torch.int64)), _KIND),
    pth("sparse weights", _with(torch.eye(3)[:2].to_sparse()), _KIND),
    pth("quantised weights", lambda: saved(GOOD | {"weight": torch.quantize_per_tensor(torch.ones(2, 3), 0.1, 0, torch.qint8)}), "..."),
    pth("weights without values", _with(torch.ones(2, 3, device="meta")), _KIND),
    safe("an empty safetensors file", b""),
    safe("a safetensors file cut short", lambda: save(GOOD)[:-9]),
    safe("a safetensors file with more bytes than tensors", lambda: save(GOOD) + bytes(9)),
]  # fmt: skip

EVIL = [
    *wrapped_weights.EVIL,
    *[pth(f"a pickle of protocol {protocol} that runs code", _evil_pickle(protocol), CODE) for protocol in range(6)],
    pth("a pickle that calls a shell", pickle.dumps(Runs(os.system, f"mkdir {CANARY}")), CODE),
    pth("a pickle that evaluates text", pickle.dumps(Runs(eval, f"__import__('os').mkdir('{CANARY}')")), CODE),
    pth("a pickle that executes text", pickle.dumps(Runs(exec, f"import os; os.mkdir('{CANARY}')")), CODE),
    pth("a pickle that imports by name", pickle.dumps(Runs(__import__, "os")), CODE),
    pth("a pickle that looks up a function", pickle.dumps(Runs(getattr, [], "append")), CODE),
    pth("a pickle with code in a state", pickle.dumps({"weight": Sets()}), CODE),
    pth("a checkpoint with code in a value", lambda: saved({"weight": Runs(os.mkdir, CANARY)}), CODE),
    pth("a checkpoint with code in a key", lambda: saved([Runs(os.mkdir, CANARY)]), CODE),
    pth("a checkpoint in the old format with code", lambda: saved({"weight": Runs(os.mkdir, CANARY)}, _use_new_zipfile_serialization=False), CODE),
    pth("a checkpoint whose pickle was replaced", lambda: rezipped(saved(GOOD), data_pkl=_evil_pickle(2)), CODE),
    pth("a whole module", lambda: saved(nn.Linear(3, 2)), CODE),
    pth("a compiled program", _jit, "a TorchScript program; save the state_dict() of what `torch.jit.load` returns"),
    pth("a pickle that recurses", b"(" * 100_000 + b".", "..."),
    pth("a pickle that claims an exabyte of text", b"\x80\x04\x8d" + struct.pack("<Q", 1 << 60) + b"x.", "..."),
    pth("a tensor beyond its storage", _lying_storage, "..."),
    pth("a bomb in a checkpoint's storage", _bomb_in_storage, _PACKED),
    pth("a bomb in a checkpoint's pickle", _bomb_in_code, _PACKED),
    pth("a checkpoint of overlapping files", lambda: _shared_members(1000), _PACKED),
    safe("a pickle named .safetensors", _evil_pickle(4)),
    safe("a checkpoint with code named .safetensors", lambda: saved({"weight": Runs(os.mkdir, CANARY)}), CODE),
    safe("a header of an exabyte", tensors(_header(), length=1 << 60)),
    safe("a header longer than the file", tensors(_header(), length=1 << 20)),
    safe("an empty header", tensors(b"")),
    safe("a header that is not JSON", tensors(b"{weight: 1}")),
    safe("a deeply nested header", tensors(_nested(100_000))),
    safe("a header of a hundred megabytes", lambda: tensors(b" " * 99_000_000 + b"{}")),
    safe("overlapping tensors", tensors(_header(data_offsets=[8, 32]))),
    safe("a tensor beyond the file", tensors(_header(data_offsets=[0, 1 << 40]))),
    safe("a tensor that ends before it begins", tensors(_header(data_offsets=[24, 0]))),
    safe("a negative offset", tensors(_header(data_offsets=[-24, 0]))),
    safe("a shape larger than its bytes", tensors(_header(shape=[1 << 20, 1 << 20]))),
    safe("a shape that overflows", tensors(_header(shape=[1 << 63, 2]))),
    safe("a shape that is text", tensors(_header(shape="2x3"))),
    safe("an unknown data type", tensors(_header(dtype="F31"))),
    safe("a data type of half a byte", tensors(_header(dtype="F4", shape=[2, 24])), "..."),
    safe("a data type of exponents only", tensors(_header(dtype="F8_E8M0", shape=[24])), "..."),
    safe("metadata that is not text", tensors(_header() | {"__metadata__": {"a": [1]}})),
]  # fmt: skip

CASES = DAMAGED + wrapped_weights.WRAPPED + EVIL

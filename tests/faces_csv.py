"""A tiny writer of sources in the layouts of Kaggle, and a reader of what the code makes of one."""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from unmask.core.errors import UserError
from unmask.core.faces import CLASSES
from unmask.params.data import Data
from unmask.sources import detect

USAGES = ("Training", "PublicTest", "PrivateTest")
HEADER = "emotion,pixels,Usage"
DATA = Data(source="unused", labels="fer2013", votes="unused", validation_fraction=0.5, seed=1)


def image(seed: int) -> np.ndarray:
    """An image uint8 [48,48] with every value from 0 to 255 in it."""
    generator = np.random.default_rng(seed)
    return generator.permutation(np.arange(48 * 48) % 256).astype(np.uint8).reshape(48, 48)


@cache
def pixels(seed: int = 0) -> str:
    return " ".join(map(str, image(seed).ravel()))


def row(emotion: object = 0, seed: int = 0, usage: str = "Training") -> str:
    return f"{emotion},{pixels(seed)},{usage}"


def rows() -> list[str]:
    """A row for every class and split; row i has image(i)."""
    wanted = [(emotion, usage) for usage in USAGES for emotion in range(len(CLASSES))]
    return [row(emotion, seed, usage) for seed, (emotion, usage) in enumerate(wanted)]


def table() -> bytes:
    """A whole valid fer2013.csv of 21 faces."""
    return "\n".join([HEADER, *rows(), ""]).encode()


def pair(train: int = 40, test: int = 14) -> tuple[bytes, bytes]:
    """A valid train.csv and test.csv; face i of both together has image(i) and label i % 7."""
    lines = [f"{seed % 7},{pixels(seed)}" for seed in range(train + test)]
    return tuple(
        "\n".join(["emotion,pixels", *part, ""]).encode() for part in (lines[:train], lines[train:])
    )


class Arrays(NamedTuple):
    """What every source tells of its faces."""

    images: np.ndarray
    labels: np.ndarray
    split: np.ndarray
    row: np.ndarray


def read(source: Path, data: Data = DATA) -> Arrays:
    """All faces of `source`."""
    blocks = list(detect.find(source).read(data))
    assert all(block.soft_labels is None for block in blocks)  # which are FER+'s alone
    fields = Arrays._fields
    return Arrays(*(np.concatenate([getattr(b, name) for b in blocks]) for name in fields))


def write(folder: Path, content: str | bytes, name: str = "fer2013.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(source: Path) -> str:
    """The one line with which `source` is refused: what is wrong; what to do."""
    with pytest.raises(UserError) as caught:
        read(source)
    message = str(caught.value)
    assert "\n" not in message
    assert re.search(r"[^;]; \S", message)
    return message

"""A model card (Mitchell et al. 2019, "Model cards for model reporting"): what a reader is for, how
good it is, and what it must not be used for; with metadata as model hubs read them.
"""

import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unmask.core.faces import CLASSES
from unmask.evaluation.metrics import accuracy
from unmask.evaluation.statistics import draws, interval, wilson_interval
from unmask.models.folder import ModelConfig

_SEES = {"upper": "the upper half of a face", "whole": "a whole face"}

_CARD = """\
---
license: {license}
library_name: unmask
pipeline_tag: image-classification
tags:
- facial-expression-recognition
- masked-faces
- safetensors
- onnx
metrics:
- accuracy
model-index:
- name: unmask {name}
  results:
  - task:
      type: image-classification
      name: The expression of {sees}
    dataset:
      type: {dataset}
      name: {dataset_name}
      split: test
    metrics:
    - type: accuracy
      value: {accuracy:.4f}
      name: accuracy, 95 % interval {low:.4f} to {high:.4f}
---

# Model card: a reader of {kind}

Reads one of {classes} expressions from {sees}: `{architecture}` with {weights:,} weights, stored as
float16.

```python
import unmask

model = unmask.load("{place}")  # float [B,1,{height},{width}] in [0,1] -> logits [B,{classes}]
```

## How good it is

Of the {count:,} test faces of {faces}, looking once at each, as `unmask predict` does, it reads
**{right}** right. {unsure}

{table}

{never}Every figure is for the test split and comes with its 95 % interval: that of accuracy from
the bootstrap stratified by class, the others Wilson's. The command that made them:

```console
{command}
```
{more}
## How it was made

{made}

## Data and their terms

{terms}

## What it is for

{use}

## What it must not be used for

Decisions about people. An expression is not an emotion, and this reader is often wrong. In the EU,
inferring emotions of people at work or in education has been banned since 2 February 2025
(Regulation (EU) 2024/1689, article 5(1)(f)). How it does by age, sex or skin colour has not been
measured: {unmeasured}.
"""

_WIDTH = 100
_COMMAND = "$ dvc repro release/dvc.yaml"
_MADE = """\
`dvc repro readers/dvc.yaml` trained it, the entry `{name}` of params.yaml, model `{seed}`, on the
training faces that the audit kept; `config.json` has its settings. `dvc repro release/dvc.yaml`
then rounded its weights to float16; the figures are from before that."""

_OF_SAMPLE = {
    "license": "mit",
    "dataset": "synthetic",
    "faces": "the synthetic sample",
    "terms": "`src/unmask/sample` draws the faces. They show nobody and come under the licence of "
    "the code, MIT.",
    "use": "Showing how a reader is released. It learned from drawn faces, and cannot read real "
    "ones.",
    "unmeasured": "its faces are drawn",
}
_OF_OTHERS = {
    "license": "other\nlicense_name: that-of-its-faces",
    "dataset": "images",
    "faces": "`{source}`",
    "terms": "It learned from `{source}` (SHA-256 `{source_sha256}`), labels `{labels}`. Whoever "
    "collected these faces\nsays what may be done with them and with what was learned from them; "
    "FER2013, for one, is for\nresearch. No image is in this folder.",
    "use": "Research on what a mask hides, and demonstrations that say how uncertain they are.",
    "unmeasured": "the faces come without these",
}


@dataclass(frozen=True)
class About:
    """What a card says beside figures, in Markdown.

    name: of the model. place: the folder that it is loaded from. license: its metadata. dataset,
    faces: what hubs and people call the faces. command: what makes the figures. more: further
    figures. made: how the model was made. terms: of its data. use: what it is for. unmeasured: why
    it was not judged by groups of people.
    """

    name: str
    place: str
    license: str
    dataset: str
    faces: str
    command: str
    made: str
    terms: str
    use: str
    unmeasured: str
    more: str = ""


def of_pipeline(name: str, seed: str, place: str, source: Mapping[str, Any]) -> About:
    """Return what the card of a reader says that `readers/dvc.yaml` trained.

    source: of the faces, as models record it.
    """
    made = _MADE.format(name=name, seed=seed)
    part = _OF_SAMPLE if source["synthetic"] else _OF_OTHERS
    texts = {key: text.format(**source) for key, text in part.items()}
    return About(f"{name} {seed}", place, made=made, command=_COMMAND, **texts)


def card(
    about: About,
    config: ModelConfig,
    weights: int,
    confusion: Sequence[Sequence[int]],
    unsure: Mapping[str, Any],
) -> str:
    """Return the card of a reader.

    weights: how many it has. confusion: of test faces, by label and prediction. unsure: what
    `evaluation.calibration` says of them.
    """
    counts = np.asarray(confusion)
    share, (low, high) = float(accuracy(counts)), interval(accuracy(draws(counts)))
    texts = {key: getattr(about, key) for key in about.__dataclass_fields__}
    texts["more"] = f"\n{about.more}\n" if about.more else ""
    text = _CARD.format(
        **texts, accuracy=share, low=low, high=high, weights=weights, count=int(counts.sum()),
        kind="masked faces" if config.view == "upper" else "faces",
        sees=_SEES.get(config.view, "an upper half that a model completed"),
        classes=len(config.classes), architecture=config.architecture,
        height=config.input_shape[1], width=config.input_shape[2],
        right=percent(share, (low, high)), table=_by_class(counts), never=_never(counts),
        unsure=_unsure(unsure, int(counts.sum())), dataset_name=_quoted(about.faces.strip("`")),
    )  # fmt: skip
    return _filled(text)


def _quoted(name: str) -> str:
    """Return a name in quotes, as YAML and JSON have it."""
    # YAML takes no control characters, and PyYAML makes halves of an emoji that JSON has escaped.
    return json.dumps(name, ensure_ascii=not name.isprintable())


def _filled(text: str) -> str:
    """Return a text whose paragraphs have lines of one length."""
    metadata, mark, body = text.partition("\n---\n")
    parts = [part if _is_laid_out(part) else _fill(part) for part in body.split("\n\n")]
    return metadata + mark + "\n\n".join(parts).rstrip("\n") + "\n"


def _is_laid_out(part: str) -> bool:
    """Return whether a part is a title, a table or code, whose lines mean something."""
    return part.lstrip("\n").startswith(("```", "|", "#", "model ="))


def _fill(part: str) -> str:
    return textwrap.fill(part, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _unsure(unsure: Mapping[str, Any], faces: int) -> str:
    """Return how often a reader answers that may say "unsure", and how often it is right then."""
    share, right, wrong = unsure["coverage"], unsure["accuracy"], f"{100 * unsure['risk']:g} %"
    if right is None:
        return f"It is always `unsure`: no threshold leaves at most {wrong} wrong answers."
    answered = percent(share, wilson_interval(share, faces))
    return (
        f"It answers for {answered} of them and is `unsure` of the rest, by the threshold in "
        f"`calibration.json`, chosen on validation for at most {wrong} wrong answers; "
        f"{percent(right, wilson_interval(right, round(share * faces)))} of its answers are right."
    )


def _by_class(counts: NDArray[Any]) -> str:
    lines = [
        "| expression | faces | of them read right | of its answers right |",
        "| --- " * 4 + "|",
    ]
    for label, name in enumerate(CLASSES):
        faces, answers = int(counts[label].sum()), int(counts[:, label].sum())
        hits = int(counts[label, label])
        shares = [
            percent(hits / of, wilson_interval(hits / of, of)) if of else "-"
            for of in (faces, answers)
        ]
        lines.append(f"| {name} | {faces:,} | {' | '.join(shares)} |")
    return "\n".join(lines)


def _never(counts: NDArray[Any]) -> str:
    names = [name for label, name in enumerate(CLASSES) if not counts[:, label].sum()]
    return f"**It never answers {' or '.join(names)}.** " if names else ""


def percent(share: float, ends: Sequence[float]) -> str:
    """Return a share with its interval, in per cent."""
    low, high = ends
    return f"{100 * share:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"

"""The page of `unmask demo` as HTML and CSS: what it says of itself, and of a photo.

Pictures stand in the HTML itself, so that none has to be written where a browser could get it.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from unmask.core.mask import UPPER_ROWS
from unmask.photos.demo import Answer, Demo, Example, Reconstruction
from unmask.photos.predict import MASKED_READER, FaceResult

_HEAD = """
<h1>Expressions behind a mask</h1>
<p>Finds the faces in a photo, sees whether each wears a mask, and reads its expression. Photos are
read by this program and nothing else; it keeps none.</p>
<p>An expression is not an emotion, and the reader is often wrong: nothing here is fit for decisions
about people.</p>
"""

STYLE = """
.gradio-container { max-width: 1280px !important; margin: 0 auto !important; }
.um { color: var(--body-text-color); line-height: 1.4; overflow-wrap: anywhere; }
.um h2, .um h3 { margin: 1rem 0 .4rem; font-weight: 600; }
.um h2 { font-size: 1.15rem; }
.um h3 { font-size: 1rem; }
.um figure { margin: 0; }
.um figcaption, .um-small { font-size: .85rem; margin: .3rem 0; }
.um-note { padding: .6rem .8rem; margin: .5rem 0; border-left: 4px solid #d97706;
  background: color-mix(in srgb, #d97706 14%, transparent); }
.um-frame { position: relative; display: inline-block; max-width: 100%; line-height: 0; }
.um-frame img { max-width: 100%; max-height: 420px; width: auto; margin: 0; }
.um-box { position: absolute; border: 3px solid #22c55e; box-shadow: 0 0 0 1px #000; }
.um-box.unsure { border-color: #f59e0b; }
.um-box.unread { border-color: #ef4444; }
.um-box span { position: absolute; bottom: 100%; left: -3px; padding: 0 .35em; color: #000;
  background: #fff; font: 600 .9rem/1.4 sans-serif; }
.um-face { border-top: 1px solid var(--border-color-primary); padding: .5rem 0; }
.um-face summary { cursor: pointer; }
.um-row { display: flex; flex-wrap: wrap; gap: 1rem 1.5rem; margin-top: .6rem; }
.um-row > figure { width: 132px; }
.um-row > .um-likely { flex: 1 1 240px; min-width: 0; }
.um-row h3 { margin-top: 0; }
.um-crop { position: relative; line-height: 0; }
.um-crop img { width: 100%; margin: 0; image-rendering: pixelated; }
.um-crop.masked::after, .um-crop.drawn::after { content: ""; position: absolute;
  inset: 50% 0 0 0; border: 2px dashed #f59e0b; background: rgb(245 158 11 / .2); }
.um-cards { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(300px, 100%), 1fr)); }
.um-cards > div { display: grid; grid-template-columns: 104px minmax(0, 1fr); gap: .8rem;
  border: 1px solid var(--border-color-primary); border-radius: 8px; padding: .7rem; }
.um-cards p:first-child { margin-top: 0; }
.um table { width: 100%; border-collapse: collapse; margin: 0; font-size: .85rem; }
.um table, .um tr, .um th, .um td { border: 0 !important; background: none !important; }
.um th, .um td { padding: 1px 0 !important; text-align: left; font-weight: 400;
  color: inherit !important; overflow-wrap: normal; }
.um th { width: 4.6rem; }
.um td:last-child { width: 3rem; text-align: right; font-variant-numeric: tabular-nums; }
.um tr.most th, .um tr.most td { font-weight: 700; }
.um-bar { position: relative; height: .8rem;
  background: color-mix(in srgb, currentColor 12%, transparent); }
.um-bar i { position: absolute; inset: 0 auto 0 0; background: #3b82f6; }
.um-bar b { position: absolute; top: -2px; bottom: -2px; width: 2px; background: currentColor; }
.um-examples button { flex-direction: column; justify-content: start; padding: .4rem;
  font-size: .85rem; font-weight: 400; }
.um-examples button::before { content: ""; width: 100%; height: 56px;
  background: center / contain no-repeat; }
"""


def about(demo: Demo) -> str:
    """Return what stands at the top."""
    notes = [
        f"{folder}: no calibration.json, so probabilities are raw and none is unsure."
        for folder in demo.uncalibrated
    ]
    if not demo.has_reconstructors:
        notes.append(
            "No trained reconstructor is here, so nothing is drawn: run in a folder where "
            "models/reconstructors has some, or give their folders with --completion."
        )
    said = "".join(f'<p class="um-note">{escape(note)}</p>' for note in notes)
    return f'<div class="um">{_HEAD}{said}</div>'


def pictures(examples: Sequence[Example]) -> str:
    """Return what stands above the examples, and the style that puts pictures on their buttons."""
    style = "".join(
        f"#example-{number}::before {{ background-image: url({_data(example.picture, 'PNG')}); }}"
        for number, example in enumerate(examples)
    )
    return f'<div class="um">Or one of these; nobody in them is real.<style>{style}</style></div>'


def html(answer: Answer) -> str:
    """Return an answer as HTML, pictures and all."""
    parts = []
    if answer.problem:
        parts.append(f'<p class="um-note" role="alert">{escape(answer.problem)}</p>')
    if answer.photo:
        parts.append(_photo(answer.photo, answer))
    pairs = zip(answer.result.faces, answer.reconstructions, strict=True)
    for number, (face, drawn) in enumerate(pairs):
        title = escape(_title(face))
        if len(answer.result.faces) == 1:
            parts.append(f"<h2>{title}</h2>{_face(face, drawn)}")
        else:
            is_open = "open" if number == answer.chosen else ""
            parts.append(
                f'<details class="um-face" name="face" {is_open}>'
                f"<summary><strong>Face {number + 1}</strong>: {title}</summary>"
                f"{_face(face, drawn)}</details>"
            )
    return f'<div class="um" id="answer">{"".join(parts)}</div>'


def _photo(photo: Image.Image, answer: Answer) -> str:
    width, height = answer.result.width, answer.result.height
    boxes = []
    for number, face in enumerate(answer.result.faces, 1):
        left, top, right, bottom = np.clip(face.box, 0, [width, height, width, height])
        place = (
            f"left:{_in(left, width)};top:{_in(top, height)};"
            f"width:{_in(right - left, width)};height:{_in(bottom - top, height)}"
        )
        kind = "unread" if face.problem else "unsure" if face.unsure else ""
        label = f"<span>{number}</span>" if len(answer.result.faces) > 1 else ""
        boxes.append(f'<div class="um-box {kind}" style="{place}">{label}</div>')
    count = len(answer.result.faces)
    faces = "no face" if count == 0 else "one face" if count == 1 else f"{count} faces"
    image = _image(photo, f"The photo, {faces} marked", "JPEG")
    return f'<figure><div class="um-frame">{image}{"".join(boxes)}</div></figure>'


def _title(face: FaceResult) -> str:
    if face.problem:
        return f"not read, {face.problem}."
    mask = "mask" if face.masked else "no mask"
    likeliest = f"{face.expression} {_percent(max((face.probabilities or {}).values()))}"
    return f"unsure, {likeliest} at best; {mask}" if face.unsure else f"{likeliest}; {mask}"


def _face(face: FaceResult, drawn: tuple[Reconstruction, ...]) -> str:
    if face.problem:
        return ""
    likely = face.probabilities or {}
    seen = f"probability {_percent(face.mask_probability or 0)}"
    mask = (
        f"A mask is seen ({seen}), over this half." if face.masked else f"No mask is seen ({seen})."
    )
    upper = face.read_by == MASKED_READER
    rows = face.crop[:UPPER_ROWS] if upper else face.crop
    part = f"{'The upper half' if upper else 'All of it'} was read, by the {face.read_by}."
    kind = "Calibrated probabilities" if face.calibrated else "Probabilities, not calibrated,"
    unsure = "<p>None is above the reader's threshold, so it is unsure.</p>" if face.unsure else ""
    row = (
        f"{_crop(face.crop, 'The face', 'masked' if face.masked else '', mask)}"
        f"{_crop(rows, 'What was read', '', part)}"
        f'<div class="um-likely"><h3>{kind} without a reconstruction</h3>'
        f"{bars(likely)}{unsure}</div>"
    )
    return f'<div class="um-row">{row}</div>{_reconstructions(drawn, likely)}'


def _reconstructions(drawn: tuple[Reconstruction, ...], without: Mapping[str, float]) -> str:
    if not drawn:
        return ""
    cards = []
    for one in drawn:
        kind = "calibrated" if one.calibrated else "not calibrated"
        with_it = (
            f'<p class="um-small">Read with it ({kind}):</p>{bars(one.probabilities, without)}'
            if one.probabilities
            else '<p class="um-small">Not read: no classifier of such faces is there.</p>'
        )
        picture = _crop(one.face, f"Face completed by {one.name}", "drawn", f"Drawn by {one.name}")
        cards.append(f"<div>{picture}<div>{with_it}</div></div>")
    return (
        "<h3>With a reconstruction</h3>"
        '<p class="um-note">Each lower half is drawn by a model, not evidence of anything.</p>'
        '<p class="um-small">A line in a bar is the probability without it. Readers were trained '
        "apart, perhaps on other faces, so a difference need not come from the drawing.</p>"
        f'<div class="um-cards">{"".join(cards)}</div>'
    )


def bars(likely: Mapping[str, float], beside: Mapping[str, float] | None = None) -> str:
    """Return a chart of probabilities, likeliest in bold; a line in each bar is `beside`."""
    most = max(likely, key=lambda name: likely[name])
    rows = []
    for name, value in likely.items():
        line = f'<b style="left:calc({_in(beside[name], 1)} - 1px)"></b>' if beside else ""
        rows.append(
            f'<tr class="{"most" if name == most else ""}"><th scope="row">{escape(name)}</th>'
            f'<td><div class="um-bar"><i style="width:{_in(value, 1)}"></i>{line}</div></td>'
            f"<td>{_percent(value)}</td></tr>"
        )
    return f"<table>{''.join(rows)}</table>"


def _crop(pixels: NDArray[np.uint8], words: str, kind: str, caption: str) -> str:
    picture = f'<div class="um-crop {kind}">{_image(Image.fromarray(pixels), words, "PNG")}</div>'
    return f"<figure>{picture}<figcaption>{escape(caption)}</figcaption></figure>"


def _image(image: Image.Image, words: str, kind: str) -> str:
    return f'<img alt="{escape(words)}" src="{_data(image, kind)}">'


def _data(image: Image.Image, kind: str) -> str:
    data = io.BytesIO()
    image.save(data, kind, quality=85)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(data.getvalue()).decode()}"


def _in(part: float, whole: float) -> str:
    return f"{100 * part / whole:.2f}%"


def _percent(value: float) -> str:
    return f"{100 * value:.0f}\N{NO-BREAK SPACE}%"

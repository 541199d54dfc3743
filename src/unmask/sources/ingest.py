"""Turning a source of faces, in any form, into the face set that the pipeline works on."""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tqdm import tqdm

from unmask.core.checksum import of_file
from unmask.core.errors import UserError
from unmask.core.faces import CLASSES, SPLITS, TRAIN, FaceBlock, FaceSetWriter
from unmask.params.data import Data, is_drawn
from unmask.sources import detect
from unmask.sources.ferplus import relabelled
from unmask.sources.text import shown


def ingest(source: Path, data: Data, folder: Path, test_labels: Path) -> dict[str, Any]:
    """Write the faces of `source` as a face set and return what is known about them.

    folder: where the arrays go; test_labels: where the labels of the test split go.

    Returns `classes` (names by label), `source` (its file name), `source_sha256` (see `checksum`),
    `synthetic` (whether it is the embedded sample), `labels` (see `Data`), `votes_sha256` (of the
    file of votes that they come from, if any), `rows` (number of faces) and `counts` (faces by
    split and class).
    Raises UserError for a bad source, for a split without faces and for a class without training
    faces.
    """
    found = detect.find(source)
    blocks, soft_labels = found.read(data), data.labels in ("ferplus_soft", "fer2013_soft")
    votes = None if data.labels == "fer2013" else Path(data.votes)
    if votes:
        blocks = relabelled(blocks, votes, keep_labels=data.labels == "fer2013_soft")
    with (
        ThreadPoolExecutor(max_workers=1) as pool,
        FaceSetWriter(folder, test_labels, soft_labels=soft_labels) as writer,
    ):
        # hashlib releases the GIL, so on a second core the checksum takes no extra time.
        digest = pool.submit(checksum, source, found.files)
        for block in _with_progress(blocks):
            writer.append(block)
    counts = {
        split: dict(zip(CLASSES, row, strict=True))
        for split, row in zip(SPLITS, writer.counts.tolist(), strict=True)
    }
    _refuse_missing(counts, source)
    return {
        "classes": list(CLASSES),
        "source": source.name or source.resolve().name,
        "source_sha256": digest.result(),
        "synthetic": is_drawn(data.source),
        "labels": data.labels,
        "votes_sha256": votes and of_file(votes),
        "rows": int(writer.counts.sum()),
        "counts": counts,
    }


def checksum(source: Path, files: Sequence[Path]) -> str:
    """Return the SHA-256 in hexadecimal of the file `source`, or of `files` in the folder `source`.

    For a folder, it covers each file in order of name: the name relative to the folder, a zero byte
    and the SHA-256 of the content.
    """
    if source.is_file():
        return of_file(source)
    total = hashlib.sha256()
    for name, file in sorted((file.relative_to(source).as_posix(), file) for file in files):
        digest = bytes.fromhex(of_file(file))
        total.update(name.encode("utf-8", "surrogateescape") + b"\0" + digest)
    return total.hexdigest()


def _refuse_missing(counts: dict[str, dict[str, int]], source: Path) -> None:
    for split, by_class in counts.items():
        if not any(by_class.values()):
            raise UserError(
                f"{shown(source)}: no faces in the {split} split; use a source that has some, or "
                "change data.validation_fraction if the validation split is drawn"
            )
    for name, count in counts[SPLITS[TRAIN]].items():
        if not count:
            raise UserError(
                f"{shown(source)}: no training face of the class {name}; "
                "use a source with all seven classes"
            )


def _with_progress(blocks: Iterator[FaceBlock]) -> Iterator[FaceBlock]:
    """Yield `blocks` and show in a terminal how many faces have been read."""
    with tqdm(unit=" faces", desc="reading", leave=False, disable=None) as bar:
        for block in blocks:
            yield block
            bar.update(len(block.labels))

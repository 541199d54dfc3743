"""Leftovers of file systems, archivers and editors are skipped wherever they are."""

import pytest
from test_beside import PAIR, VALID_CSV, check_splits, source, with_images

from faces_csv import read

FILES = [
    *("0001.png:Zone.Identifier", "0001.png:Zone.Identifier:$DATA", "train.csv:Zone.Identifier"),
    *("0001.pngZone.Identifier", "0001.png\uf03aZone.Identifier", "x.png:SmartScreen:$DATA"),
    *("._0001.png", "._train.csv", ".DS_Store", "Icon\r", "Icon\uf00d", ".localized"),
    *("Thumbs.db", "thumbs.db", "Thumbs.db:encryptable", "ehthumbs_vista.db", "Desktop.ini"),
    *("0001.png~", "val.csv~", ".0001.png.swp", "0001.png.swp", "#0001.png#", "~$train.csv"),
    *("Picasa.ini", "ZbThumbnail.info", "~WRL0001.tmp", "x.png:AFP_AfpInfo", "aquota.user"),
    *("x.png\uf022AFP_Resource", "x.png:com.dropbox.attributes", "x.png:com.apple.quarantine"),
    *(".nfs00000000011c", ".fuse_hidden0000", ".gitignore", ".dvcignore", "pax_global_header"),
]
FOLDERS = [
    *("__MACOSX", "@eaDir", "lost+found", "#recycle", "#snapshot", "@Recycle", "$RECYCLE.BIN"),
    *("System Volume Information", ".Trash-1000", ".Trashes", ".ipynb_checkpoints", ".thumbnails"),
    *("FOUND.000", "@__thumb", "@tmp", "TheVolumeSettingsFolder", "__pycache__"),
    *(".git", ".dvc", "RECYCLER", "Recycled", ".AppleDouble", "PaxHeaders.1234"),
    *("Network Trash Folder",),
]
EVERYWHERE = [*FILES, *(f"{name}/{inside}" for name in FOLDERS for inside in ("0.png", "val.csv"))]


@pytest.mark.parametrize("place", ["", "train", "test/sad"])
def test_leftovers_are_skipped_in_folders_of_images(tmp_path, place):
    with_images(tmp_path)
    for name in EVERYWHERE:
        path = tmp_path / place / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    assert len(read(tmp_path).labels) == 21


@pytest.mark.parametrize("form", ["folder", "zip", "tar"])
def test_leftovers_are_skipped_beside_csv_files(tmp_path, form):
    files = PAIR | {"val.csv": VALID_CSV} | dict.fromkeys(EVERYWHERE, b"x")
    if form != "folder":
        files |= {f"deeper/{name}": b"x" for name in EVERYWHERE}
    check_splits(read(source(tmp_path, form, files)))

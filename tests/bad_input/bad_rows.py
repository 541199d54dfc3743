"""CSV files with one mistake in a row or in the header."""

from cases import Case, put, table_with

from faces_csv import HEADER, pixels, row, rows, table

_FIX = "get the file again, or fix this line"
_USAGES = "not one of Training, PublicTest, PrivateTest"


def _row(name: str, line: str | bytes, what: str) -> Case:
    return Case(name, put(table_with(line)), f"fer2013.csv:5: {what}; {_FIX}")


def _pixel(name: str, value: str, shown: str | None = None) -> Case:
    values = pixels().split(" ")
    values[99] = value
    what = f"pixel 100 is '{shown or value}', not a whole number from 0 to 255"
    return _row(name, f"0,{' '.join(values)},Training", what)


def _label(name: str, value: str) -> Case:
    return _row(name, row(value), f"emotion is '{value}', not 0, 1, ... or 6")


def _header(name: str, header: str, what: str, line: str | None = None) -> Case:
    lines = rows() if line is None else [line]
    return Case(name, put("\n".join([header, *lines])), f"fer2013.csv:1: {what}")


PIXELS = [
    _row("2303 pixels", f"0,{' '.join(['7'] * 2303)},Training", "2303 pixels instead of 2304 (48x48)"),
    _row("2305 pixels", f"0,{pixels()} 1,Training", "2305 pixels instead of 2304 (48x48)"),
    _row("one pixel", "0,17,Training", "1 pixels instead of 2304 (48x48)"),
    _row("empty pixels", "0,,Training", "no pixels"),
    _row("blank pixels", "0,   ,Training", "no pixels"),
    _pixel("pixel 256", "256"),
    _pixel("pixel 300", "300"),
    _pixel("pixel -1", "-1"),
    _pixel("pixel +1", "+1"),
    _pixel("pixel 12.5", "12.5"),
    _pixel("pixel 1e2", "1e2"),
    _pixel("pixel 0x1f", "0x1f"),
    _pixel("pixel abc", "abc"),
    _pixel("pixel nan", "nan"),
    _pixel("pixel 1_0", "1_0"),
    _pixel("pixel of a hundred digits", "1" * 100, "1" * 24 + "..."),
    _pixel("Arabic digits", "٣"),
    _pixel("full-width digits", "\uff11\uff12"),
    _pixel("a superscript", "²"),
    _pixel("a no-break space", "1\u00a02", "1\\xa02"),
    _pixel("an escape sequence", "\x1b[2J", "\\x1b[2J"),
    _row("two spaces between pixels", row().replace(" ", "  ", 1), "two spaces before pixel 2"),
    _row("tabs between pixels", row().replace(" ", "\t"), "pixel 1 is ..., not a whole number from 0 to 255"),
    _row("commas between pixels", row().replace(" ", ","), "2306 fields instead of 3"),
    _row("pixels in brackets", f"0,[{pixels()}],Training", "pixel 1 is '[...', not a whole number from 0 to 255"),
    _row("bytes that are not UTF-8", row().encode().replace(b" ", b" \xff", 1), "pixel 2 is '\\xff...', not a whole number from 0 to 255"),
    _row("a NUL byte", row().replace(" ", "\0", 1), "a NUL byte; the file is damaged or in UTF-16"),
]  # fmt: skip

FIELDS = [
    _label("label 7", "7"),
    _label("label -1", "-1"),
    _label("label angry", "angry"),
    _label("label 3.0", "3.0"),
    _label("label 03", "03"),
    _label("label in Arabic digits", "٣"),
    _label("empty label", ""),
    _row("Usage misspelled", row(usage="Trainig"), f"Usage is 'Trainig', {_USAGES}"),
    _row("Usage in lower case", row(usage="training"), f"Usage is 'training', {_USAGES}"),
    _row("Usage empty", row(usage=""), f"Usage is '', {_USAGES}"),
    _row("a missing field", f"0,{pixels()}", "2 fields instead of 3"),
    _row("an extra field", f"{row()},1", "4 fields instead of 3"),
    _row("a row cut short", row()[:5000], "2 fields instead of 3"),
    _row("the header a second time", HEADER, "the header for the second time"),
    _row("semicolons in one row", row().replace(",", ";"), "1 fields instead of 3"),
    _row("a quote that does not close", f'0,"{pixels()},Training', "a quote that does not close in ..."),
    _row("a quote that only closes", f'0,{pixels()}",Training', 'pixel 2304 is ..., not a whole number from 0 to 255'),
    _row("a line of prose", "and so on", "1 fields instead of 3"),
    Case("a field of several megabytes", put(table_with(f"0,{'1 ' * (2 << 20)},Training")),
         "fer2013.csv:5: a line of more than 64 KiB; this is not a CSV file of 48x48 faces, get the file again"),
    Case("the last row cut short", put(table()[:-5000]), f"fer2013.csv:22: 2 fields instead of 3; {_FIX}"),
    Case("the last word cut short", put(table()[:-3]), f"fer2013.csv:22: Usage is 'PrivateTe', {_USAGES}; {_FIX}"),
]  # fmt: skip

_ALLOWED = (
    "the columns must be emotion, pixels, Usage and perhaps Image name: remove any others, "
    "or get the file again if it has no header"
)
_VOTES = (
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
)

HEADERS = [
    _header("no header", row(), f"unknown column '0'; {_ALLOWED}"),
    _header("a duplicate column", "emotion,pixels,Usage,pixels", "column 'pixels' twice; remove one of them"),
    _header("an unknown column", "id,emotion,pixels,Usage", f"unknown column 'id'; {_ALLOWED}"),
    _header("a column without a name", ",emotion,pixels,Usage", f"unknown column ''; {_ALLOWED}"),
    _header("no labels", "pixels,Usage", "no column emotion; get the file again"),
    _header("no pixels", "emotion,Usage", "no column pixels; get the file again"),
    _header("no Usage", "emotion,pixels", "no column Usage, which names the split; for the pair train.csv and test.csv set data.source to the folder that holds both"),
    _header("only pixels", "pixels", "pixels without labels; take icml_face_data.csv or fer2013.csv from the same competition, which hold all labels"),
    _header("semicolons throughout", "emotion;pixels;Usage", "no commas between the columns; save the file with commas as separators"),
    _header("tabs throughout", "emotion\tpixels\tUsage", "no commas between the columns; save the file with commas as separators"),
    _header("the file of FER+", _VOTES, "the votes of FER+, which hold no pixels; set data.source to fer2013.csv", "Training,fer1.png,4,0,0,1,3,2,0,0,0,0"),
    _header("an unclosed quote in the header", 'emotion,"pixels,Usage', f"a quote that does not close in '\"pixels'; {_FIX}"),
]  # fmt: skip

CASES = PIXELS + FIELDS + HEADERS

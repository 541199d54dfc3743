"""Files that are given instead of the votes of FER+."""

import gzip

from bad_folders import fill
from cases import Case, put

from faces_csv import USAGES, table
from unmask.sources.columns import COLUMNS, EMOTIONS

_HEADER = (
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
)
_AGAIN = "get fer2013new.csv from FER+ again"
_FIX = "get the file again, or fix this line"
_KAGGLE = "FER+ goes with fer2013.csv or icml_face_data.csv from Kaggle"
_NAMES = "rename faces to their Image name in FER+, or use the CSV file from Kaggle"
_OTHER = f"votes.csv: not the votes on data.source: the faces or their order differ; {_KAGGLE}"
_UNFIT = "votes.csv: not the votes on data.source: they do not fit its labels in the"


def votes() -> list[str]:
    """The lines of a valid file of votes on `table()`."""
    usages = [usage for usage in USAGES for _ in range(7)]
    return [_HEADER, *(f"{usage},x.png,0,0,0,0,0,0,0,0,0,10" for usage in usages)]


def clear_votes(shift: int = 0, name: str = "fer{}.png") -> list[str]:
    """The lines of votes on `table()`, all for its labels; `shift`: for those so many rows on."""
    lines = [_HEADER]
    for row in range(21):
        winner = EMOTIONS[(row + shift) % 7]
        votes = ("10" if column == winner else "0" for column in COLUMNS[2:])
        lines.append(",".join([USAGES[row // 7], name.format(row), *votes]))
    return lines


def _images(name: str, content: list[str], message: str) -> Case:
    """Votes on a folder of images that are all called 0.png."""

    def make(folder):
        fill(folder)
        put("\n".join(content), "votes.csv")(folder)

    return Case(f"votes: {name}", make, message, source="d", labels="ferplus")


def _case(name: str, content: str | bytes | None, message: str) -> Case:
    def make(folder):
        put(table())(folder)
        if content is not None:
            put(content, "votes.csv")(folder)

    return Case(f"votes: {name}", make, message, labels="ferplus")


def _line(name: str, line: str, what: str) -> Case:
    lines = votes()
    lines[4] = line
    return _case(name, "\n".join(lines), f"votes.csv:5: {what}; {_FIX}")


CASES = [
    _case("a missing file", None, "votes.csv: no file; set data.votes to fer2013new.csv from FER+"),
    _case("an empty file", b"", f"votes.csv: empty; {_AGAIN}"),
    _case("an HTML login page", "<!doctype html><title>Log in</title>", f"votes.csv: a web page, perhaps a login page; {_AGAIN}"),
    _case("UTF-16", "\n".join(votes()).encode("utf-16"), f"votes.csv: text in UTF-16; save it as UTF-8, or {_AGAIN}"),
    _case("a gzip cut short", gzip.compress("\n".join(votes()).encode())[:-9], "votes.csv: cut short, damaged or packed in an unknown way (...); get the file again"),
    _case("a missing column", "\n".join(votes()).replace(",NF", ",N"), "votes.csv:1: no column NF; set data.votes to fer2013new.csv from FER+"),
    _case("a column twice", "\n".join(f"{line},{'0' if row else 'nf'}" for row, line in enumerate(votes())), "votes.csv:1: column NF twice; remove one of them"),
    _case("the faces instead of the votes", table(), "votes.csv:1: no column Image name; set data.votes to fer2013new.csv from FER+"),
    _case("one row too few", "\n".join(votes()[:-1]), _OTHER),
    _case("one row too many", "\n".join([*votes(), votes()[-1]]), _OTHER),
    _case("only the header", _HEADER, _OTHER),
    _case("rows in another order", "\n".join([_HEADER, *votes()[:0:-1]]), _OTHER),
    _case("faces one row further on", "\n".join(clear_votes(1)), f"{_UNFIT} train split (kappa -0.17); {_KAGGLE}"),
    _case("faces three rows further back", "\n".join(clear_votes(-3)), f"{_UNFIT} train split (kappa -0.17); {_KAGGLE}"),
    _case("test faces of another order", "\n".join([*clear_votes()[:15], *clear_votes(2)[15:]]), f"{_UNFIT} test split (kappa -0.17); {_KAGGLE}"),
    _images("other images", clear_votes(name="a{}1.png"), f"votes.csv: no votes on ...0.png; {_NAMES}"),
    _images("two images of the same name", clear_votes(), f"...0.png: the same Image name in FER+ as ...0.png; {_NAMES}"),
    _images("images, and no Image name", clear_votes(name=""), f"votes.csv: no value in the column Image name; {_AGAIN}"),
    _images("images, and one Image name for all", clear_votes(name="0.png"), f"votes.csv: different votes on the same Image name 0; {_AGAIN}"),
    _case("a field of several megabytes", "\n".join([*votes()[:4], "Training," + "x" * (1 << 22)]), "votes.csv:5: a line of more than 64 KiB; ..."),
    _case("a million rows too many", "\n".join([*votes(), *votes()[-1:] * 1_000_000]), _OTHER),
    _line("-1 votes", "Training,x.png,0,0,0,-1,0,0,0,0,0,10", "sadness is '-1', not a number of votes"),
    _line("1.5 votes", "Training,x.png,1.5,0,0,0,0,0,0,0,0,10", "neutral is '1.5', not a number of votes"),
    _line("an empty number of votes", "Training,x.png,,0,0,0,0,0,0,0,0,10", "neutral is '', not a number of votes"),
    _line("Arabic digits", "Training,x.png,٣,0,0,0,0,0,0,0,0,10", "neutral is '٣', not a number of votes"),
    _line("Usage misspelled", "Trainig,x.png,0,0,0,0,0,0,0,0,0,10", "Usage is 'Trainig', not one of Training, PublicTest, PrivateTest"),
    _line("a missing field", "Training,x.png,0,0,0,0,0,0,0,0,10", "11 fields instead of 12"),
    _line("an extra field", "Training,x.png,0,0,0,0,0,0,0,0,0,10,1", "13 fields instead of 12"),
    _line("a quote that does not close", chr(34) + votes()[4], "... fields instead of 12"),
    _case("no face left", "\n".join(votes()), "fer2013.csv: no faces in the train split; ..."),
]  # fmt: skip

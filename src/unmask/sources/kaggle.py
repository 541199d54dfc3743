"""`unmask fetch`: get FER2013 from Kaggle with your own account.

You need a Kaggle account that has accepted the competition's rules, and its API token where
kagglehub looks for it: KAGGLE_API_TOKEN, `~/.kaggle/access_token`, KAGGLE_USERNAME with KAGGLE_KEY,
or `~/.kaggle/kaggle.json`. The token is sent to Kaggle and never shown.
"""

import re
import shlex
import tempfile
from http import HTTPStatus
from pathlib import Path

from unmask.core.errors import UserError
from unmask.sources import archive, fer2013_csv
from unmask.sources.text import refuse_unrecordable, shown

COMPETITION = "challenges-in-representation-learning-facial-expression-recognition-challenge"

FILES = ("fer2013.tar.gz", "icml_face_data.csv")
"""The competition's files that hold all labels; the second is used if the first is gone."""

_PAGE = f"https://www.kaggle.com/competitions/{COMPETITION}"
_LOGIN = (
    "create an API token at https://www.kaggle.com/settings and save it as ~/.kaggle/access_token "
    "(or kaggle.json), or set KAGGLE_API_TOKEN"
)


def command(source: Path) -> str:
    """Return what a shell runs the pipeline on `source` with, whatever its name.

    Hydra reads the value, so the name goes into its quotes, and those into the shell's. Hydra wants
    a backslash before a quote and before "${", and two for each that stands there already.
    """
    value = str(source)
    if re.fullmatch("[A-Za-z0-9_./-]+", value):
        return f"dvc exp run -S data.source={value}"
    value = re.sub(r"(\\*)\$\{", r"\1\1\\${", value)
    value = re.sub(r"(\\*)'", r"\1\1\\'", value)
    value = re.sub(r"(\\+)\Z", r"\1\1", value)
    setting = f"data.source='{value}'"
    # Double quotes are easier to read, but some characters have a meaning in them.
    quoted = shlex.quote(setting) if re.search(r'["$`\\!]', setting) else f'"{setting}"'
    return f"dvc exp run -S {quoted}"


def fetch(folder: Path) -> Path:
    """Download the first of FILES that Kaggle has into `folder` and return its path.

    A file that is already there is kept. A download is checked before it gets its name, so that
    half a file never has it. Raises UserError, one line that says what to do.
    """
    refuse_unrecordable(folder / FILES[0])
    for name in FILES:
        if (folder / name).is_file():
            return folder / name
    _require_credentials()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as temporary:
        file = _download_first(Path(temporary), folder)
        _check(file)
        return file.replace(folder / file.name)


def _check(file: Path) -> None:
    """Raise UserError if `file` cannot be opened or its first faces are bad."""
    try:
        next(fer2013_csv.read(archive.csv_files(file)[0]), None)
    except UserError as error:
        raise UserError(str(error).replace(str(file), f"what Kaggle sent as {file.name}")) from None


def _require_credentials() -> None:
    """Raise UserError if kagglehub finds no credentials; does not use the network."""
    from kagglehub.config import get_kaggle_credentials

    try:
        if get_kaggle_credentials():
            return
    except (TypeError, ValueError):  # what kagglehub raises for an invalid kaggle.json
        raise UserError(f"~/.kaggle/kaggle.json: not as Kaggle made it; {_LOGIN}") from None
    raise UserError(f"no Kaggle credentials; {_LOGIN}, and accept the rules at {_PAGE}/rules")


def _download_first(temporary: Path, folder: Path) -> Path:
    for name in FILES:
        file = _download(name, temporary, folder)
        if file:
            return file
    raise UserError(f"Kaggle has none of {', '.join(FILES)}; look at {_PAGE}/data")


def _download(name: str, temporary: Path, folder: Path) -> Path | None:
    """Return the file, downloaded into `temporary`, or None if Kaggle has none of this name.

    folder: where it will be, for messages. The text of kagglehub's exceptions is not passed on, as
    it may quote a header with the token.
    """
    import requests
    from kagglehub import competition_download
    from kagglehub.exceptions import DataCorruptionError, UnauthenticatedError

    try:
        return Path(competition_download(COMPETITION, path=name, output_dir=str(temporary)))
    except UnauthenticatedError:
        raise UserError(f"Kaggle does not know these credentials; {_LOGIN}") from None
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if status == HTTPStatus.NOT_FOUND:
            return None
        raise UserError(_explain(status)) from None
    except (DataCorruptionError, requests.exceptions.ChunkedEncodingError):
        raise UserError("the download broke off; run `unmask fetch` again") from None
    except (requests.ConnectionError, requests.Timeout) as error:
        raise UserError(
            f"cannot reach Kaggle ({type(error).__name__}); check the network and any proxy, or "
            f"download {name} from {_PAGE}/data with a browser and put it into {shown(folder)}"
        ) from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:  # no space, no permission
            raise
        raise UserError(
            f"kagglehub cannot ask Kaggle ({type(error).__name__}), perhaps because the token has "
            f"line feeds or non-ASCII characters; {_LOGIN}"
        ) from None


def _explain(status: int) -> str:
    if status == HTTPStatus.UNAUTHORIZED:
        return f"Kaggle does not know these credentials (401); {_LOGIN}"
    if status == HTTPStatus.FORBIDDEN:
        return f"Kaggle refuses the file (403); accept the rules at {_PAGE}/rules and run again"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "Kaggle got too many requests from this account (429); run again in an hour"
    return f"Kaggle answered with status {status}; run again later, or look at {_PAGE}/data"

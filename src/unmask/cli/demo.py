"""`unmask demo`: a page in the browser that reads photos."""

import errno
import ipaddress
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unmask.cli.command import PATH, one_line, put
from unmask.core.errors import UserError

if TYPE_CHECKING:
    from unmask.photos.demo import Demo

LOOPBACK = "127.0.0.1"

# The browser itself refuses to load anything from elsewhere.
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="'
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:\">"
)

# On a phone, an answer is below what is on the screen.
_TO_ANSWER = "() => { if (innerWidth < 700) document.getElementById('answer')?.scrollIntoView() }"


@click.command()
@click.option(
    "--model", type=PATH, metavar="FOLDER",
    help="A trained model that reads all faces; by default, as for predict.",
)  # fmt: skip
@click.option(
    "--completion", "completions", type=PATH, metavar="FOLDER", multiple=True,
    help="A trained reconstructor, more than once for several; by default, all in "
    "models/reconstructors.",
)  # fmt: skip
@click.option(
    "--port", type=click.IntRange(0, 65535), default=7860, show_default=True, help="0 for any free."
)
@click.option(
    "--host", default=LOOPBACK, show_default=True,
    help="Address to listen on; at 0.0.0.0, other computers reach it too, without a password.",
)  # fmt: skip
@one_line
def demo(model: Path | None, completions: tuple[Path, ...], port: int, host: str) -> None:
    """Serve a local web page that reads photos, and print its address.

    It shows the faces of a photo, whether they wear a mask, what is read, and what trained
    reconstructors would draw. It keeps no photo and loads nothing from the network. Ctrl-C ends it.
    """
    for library in ("gradio", "ai_edge_litert"):
        if find_spec(library) is None:
            raise UserError(
                f"{library}, which the demo needs, is not installed; "
                "run `pip install -e '.[demo]'` in the clone"
            )
    from unmask.photos.demo import Demo, trained

    listener = listen(host, port)
    reader = Demo(model, completions or trained())
    for name in ("SIGTERM", "SIGHUP"):  # so that what is temporary is removed
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _exit)
    with tempfile.TemporaryDirectory(prefix="unmask-demo-") as folder:
        # Gradio's folder for uploads; it looks at this while it is imported.
        os.environ["GRADIO_TEMP_DIR"] = folder
        serve(listener, reader)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raises UserError if there is none there."""
    from unmask.sources.text import shown

    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError):  # the latter for a..b
        raise UserError(
            f"--host {shown(host)}: no address of this computer; leave it out"
        ) from None
    listener = socket.socket(family, kind)
    if os.name == "posix":  # on Windows it would share a port that is in use
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen()  # now, or a second demo could take the port while models are loaded
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise UserError(f"port {port} is in use; choose another one with --port") from None
        what = (error.strerror or str(error)).lower()
        raise UserError(
            f"{host}, port {port}: {what}; choose others with --host and --port"
        ) from None
    return listener


def serve(listener: socket.socket, demo: "Demo") -> None:
    """Serve the page until the process is told to end."""
    import gradio
    import uvicorn
    from fastapi import FastAPI

    from unmask.photos.demo_page import STYLE

    page = form(demo)
    app = gradio.mount_gradio_app(
        FastAPI(openapi_url=None), page, path="/", max_file_size="20mb", css=STYLE, head=_POLICY,
        theme=gradio.themes.Default(font=["system-ui", "sans-serif"], font_mono=["monospace"]),
        # Gradio's history would keep each photo and its answer in the browser.
        run_history=False, footer_links=[], ssr_mode=False, pwa=False, mcp_server=False,
        enable_monitoring=False,
    )  # fmt: skip
    host, port = listener.getsockname()[:2]
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    put(f"http://{address} is the page; Ctrl-C ends it\n")
    # "critical", as a page that is open at Ctrl-C, or asks for a photo that is gone, is an error to
    # uvicorn, with a traceback; what goes wrong in reading a photo, Gradio reports.
    config = uvicorn.Config(guarded(app, host), log_level="critical", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[listener])


def guarded(app: Any, host: str) -> Any:
    """Return an app that answers its own page, and no page of another site in the same browser.

    host: the address that it listens on. Another site may have its own name stand for it.
    """
    from starlette.datastructures import Headers
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.responses import PlainTextResponse

    async def own_page(scope: Any, receive: Any, send: Any) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        origin = headers.get("origin")
        foreign = origin is not None and origin.partition("://")[2] != headers.get("host")
        answer = PlainTextResponse("Not for pages of other sites", 403) if foreign else app
        await answer(scope, receive, send)

    if not ipaddress.ip_address(host).is_loopback:
        return own_page
    return TrustedHostMiddleware(own_page, ["localhost", "[::1]" if ":" in host else host])


def form(demo: "Demo") -> Any:
    """Return the page, a Gradio Blocks that is not running yet."""
    import gradio

    from unmask.photos.demo import CROPPED, examples
    from unmask.photos.demo_page import about, html, pictures

    tries = examples()
    with gradio.Blocks(title="unmask demo", analytics_enabled=False, delete_cache=(5, 60)) as page:
        gradio.HTML(about(demo))
        with gradio.Row():
            with gradio.Column(scale=1, min_width=300):
                cropped = gradio.Checkbox(label=CROPPED)
                photo = gradio.Image(
                    label="A photo, up to 20 MB", type="filepath", height=260, buttons=[],
                    sources=["upload", "webcam", "clipboard"],
                )  # fmt: skip
                gradio.HTML(pictures(tries))
                with gradio.Row(elem_classes="um-examples"):
                    buttons = [
                        gradio.Button(one.title, elem_id=f"example-{number}", min_width=60)
                        for number, one in enumerate(tries)
                    ]
            with gradio.Column(scale=2, min_width=320):
                result = gradio.HTML('<div class="um">What is read is shown here.</div>')

        def read(upload: Mapping[str, Any] | None, is_cropped: bool) -> tuple[None, Any]:
            if upload is None:  # a change from upload to webcam, or back
                return None, gradio.skip()
            return None, answer(demo, Path(upload["path"]), is_cropped, Path(page.GRADIO_CACHE))

        # Not preprocessed: Gradio would open the file itself, and fail where it is no picture.
        photo.input(
            read, [photo, cropped], [photo, result], preprocess=False, api_visibility="private",
            show_progress_on=result, concurrency_limit=1,
        ).then(None, js=_TO_ANSWER)  # fmt: skip
        for button, one in zip(buttons, tries, strict=True):
            button.click(
                lambda one=one: html(demo(one.picture, one.cropped)),
                outputs=result, api_visibility="private",
            ).then(None, js=_TO_ANSWER)  # fmt: skip
    demo(tries[0].picture)  # the first answer takes longer, so nobody should have to wait for it
    return page


def answer(demo: "Demo", photo: Path, cropped: bool, folder: Path) -> str:
    """Return what is said of an uploaded photo, as HTML, and delete the photo.

    folder: that of all uploads; whatever path a browser names, nothing else is read or deleted.
    """
    from unmask.photos.demo import Answer
    from unmask.photos.demo_page import html

    photo = photo.resolve()
    if not photo.is_relative_to(folder.resolve()) or not photo.is_file():
        return html(Answer("This photo is gone; choose it again."))
    try:
        return html(demo(photo, cropped))
    finally:
        photo.unlink()
        with suppress(OSError):  # Gradio makes a folder for each upload
            photo.parent.rmdir()


def _exit(number: int, _: Any) -> None:
    sys.exit(128 + number)

"""The page of `unmask demo` in Chromium: what it shows, what it asks for, and what it leaves."""

import os
import signal
import subprocess
import sys
from http.client import HTTPConnection
from types import SimpleNamespace

import pytest
from browser import chromium
from PIL import Image

UPLOAD = (
    b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n'
    b"Content-Type: image/png\r\n\r\nno picture\r\n--x--\r\n"
)
UNMASK = [sys.executable, "-c", "from unmask.cli.main import main; main()"]


@pytest.fixture(scope="module")
def server(fetched, reader, models, tmp_path_factory):
    """A running demo: its process, address, working folder and folder for what is temporary."""
    folder, temporary = models.parent, tmp_path_factory.mktemp("temporary")
    process = subprocess.Popen(
        [*UNMASK, "demo", "--port", "0", "--model", str(reader)], cwd=folder, text=True,
        env=os.environ | {"TMPDIR": str(temporary)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    address = process.stdout.readline().split()
    assert address, process.communicate()[1]
    yield SimpleNamespace(process=process, url=address[0], folder=folder, temporary=temporary)
    process.kill()
    process.communicate()


@pytest.fixture(scope="module")
def browser(server):
    """A page of Chromium at the demo, and a list of what it asked for elsewhere."""
    with chromium() as opened:
        page = opened.new_page()
        page.set_default_timeout(120_000)  # where other tests keep all cores busy
        elsewhere = []
        allowed = (server.url, "data:", "blob:")
        page.on("request", lambda it: it.url.startswith(allowed) or elsewhere.append(it.url))
        page.goto(server.url)
        yield SimpleNamespace(page=page, elsewhere=elsewhere)


@pytest.fixture
def page(browser, server):
    """The page, freshly loaded; in the end nothing was asked for elsewhere, and nothing is kept."""
    browser.page.reload()
    browser.page.wait_for_selector("text=What is read is shown here.")
    yield browser.page
    assert browser.elsewhere == []
    assert kept(server.temporary) == []


def kept(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def upload(page, file):
    """Choose a file, and return what is said of it."""
    page.set_input_files("input[type=file]", file)
    page.wait_for_selector("#answer, .toast-body")
    return page.inner_text("#answer, .toast-body")


def test_a_photo_is_read_and_gone(page, astronaut, tmp_path):
    Image.fromarray(astronaut).save(file := tmp_path / "bare.png")
    said = upload(page, file)
    assert "no mask" in said
    assert "No mask is seen" in said
    assert "Drawn by mirror" in said
    assert "drawn by a model, not evidence of anything" in said
    assert page.locator(".um-box").count() == 1
    assert page.locator("#answer img").first.evaluate("image => image.naturalWidth") == 512
    assert page.locator("#answer table").count() == 2
    page.reload()
    page.wait_for_selector("text=What is read is shown here.")
    assert page.locator("#answer").count() == 0
    assert page.evaluate("indexedDB.databases()") == []
    assert "photo" not in page.evaluate("JSON.stringify(localStorage)")


def test_a_mask_is_seen(page, masked, tmp_path):
    Image.fromarray(masked).save(file := tmp_path / "masked.jpg")
    assert "A mask is seen" in upload(page, file)


def test_a_text_file_is_one_line_and_the_next_photo_is_read(page, astronaut, tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")
    assert "Only image/* allowed" in upload(page, tmp_path / "notes.txt")
    page.reload()
    (tmp_path / "notes.png").write_text("no picture")
    assert upload(page, tmp_path / "notes.png").startswith("This file: not a picture")
    Image.fromarray(astronaut).save(tmp_path / "bare.png")
    page.set_input_files("input[type=file]", tmp_path / "bare.png")
    page.wait_for_selector("text=No mask is seen")


def test_more_than_20_mb_are_refused(page, tmp_path):
    (tmp_path / "large.png").write_bytes(bytes(21 << 20))
    assert "exceed" in upload(page, tmp_path / "large.png")


def test_examples_are_read_on_a_phone_in_the_dark(page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    page.click("text=Three people")
    page.wait_for_selector("text=Face 3")
    assert page.locator("details[open]").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.click("text=Face 1")
    assert page.locator("details[open] summary").inner_text().startswith("Face 1")


def test_the_browser_may_load_nothing_from_elsewhere(browser):
    load = "fetch('http://192.0.2.1/').then(() => 'loaded', error => String(error))"
    refused = []
    browser.page.on("console", lambda message: refused.append(message.text))
    assert "TypeError" in browser.page.evaluate(load)
    assert any("Content Security Policy" in text for text in refused)
    browser.elsewhere.clear()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:9000", "Origin": "http://localhost:9000"}, 200),  # an SSH tunnel
        ({"Host": "evil.example"}, 400),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_pages_of_other_sites_are_refused(server, headers, status):
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    connection = HTTPConnection(server.url.removeprefix("http://"))
    connection.request("POST", "/gradio_api/upload", UPLOAD, form | headers)
    assert connection.getresponse().status == status
    assert bool(kept(server.temporary)) == (status == 200)
    for file in kept(server.temporary):
        file.unlink()


def test_ctrl_c_ends_it_in_one_line_and_leaves_nothing(server, browser):
    server.process.send_signal(signal.SIGINT)
    _, errors = server.process.communicate(timeout=60)
    assert errors == "interrupted\n"
    assert server.process.returncode == 130
    assert list(server.temporary.iterdir()) == []
    assert [path.name for path in server.folder.iterdir()] == ["models"]

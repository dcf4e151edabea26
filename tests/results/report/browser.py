"""A headless Chromium, driven over the WebDriver protocol of its own driver; nothing but the standard library."""

import contextlib
import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DRIVER, BROWSER = shutil.which("chromedriver"), shutil.which("chromium") or shutil.which("google-chrome")


class Page:
    """A page that is open: what it says to scripts, its console, and what it loaded."""

    def __init__(self, url: str) -> None:
        self._url = url

    def open(self, path: Path, width: int, height: int = 900) -> None:
        self.console(), self.requests()  # of another page
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._post("/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": size})
        self._post("/url", {"url": path.as_uri()})

    def prefer(self, scheme: str) -> None:
        """From the next page on the user wants it "light" or "dark"."""
        wanted = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self._post("/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": wanted})

    def evaluate(self, script: str) -> Any:
        """The value of a script's return; the driver's scripts run whatever the page's policy is."""
        return self._post("/execute/sync", {"script": script, "args": []})

    def console(self) -> list[str]:
        return [entry["message"] for entry in self._post("/se/log", {"type": "browser"})]

    def requests(self) -> list[str]:
        """The addresses that the browser asked for since the last call."""
        entries = self._post("/se/log", {"type": "performance"})
        events = [json.loads(entry["message"])["message"] for entry in entries]
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]

    def screenshot(self) -> str:
        """The whole page as base64 of a PNG."""
        options = {"captureBeyondViewport": True}
        return self._post("/goog/cdp/execute", {"cmd": "Page.captureScreenshot", "params": options})["data"]

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        return _post(self._url + path, body)


@contextlib.contextmanager
def browser() -> Iterator[Page]:
    """A fresh browser."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([DRIVER, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        session = _start(f"http://127.0.0.1:{port}")
        yield Page(session)
        with contextlib.closing(urllib.request.urlopen(urllib.request.Request(session, method="DELETE"), timeout=30)):
            pass
    finally:
        process.terminate()
        process.wait(30)


def _start(driver: str) -> str:
    arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
    options = {
        "goog:chromeOptions": {"binary": BROWSER, "args": arguments},
        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
    }
    _wait_for(int(driver.rpartition(":")[2]))
    made = _post(f"{driver}/session", {"capabilities": {"alwaysMatch": options}})
    return f"{driver}/session/{made['sessionId']}"


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    with socket.socket() as probe:
        while probe.connect_ex(("127.0.0.1", port)):
            assert time.monotonic() < deadline, "chromedriver does not listen"
            time.sleep(0.1)


def _post(url: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)["value"]

"""Headless Chromium, as far as reports need it: sizes, themes, what it asked for and complained of, pictures, print."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
EMULATION = "Emulation.setEmulatedMedia"


def found() -> tuple[str, str] | str:
    """(browser, driver), or why there is none."""
    if importlib.util.find_spec("selenium") is None:
        return 'selenium is missing: pip install "fertune[browser]"'
    browser = os.environ.get("CHROME") or next((p for p in map(shutil.which, BROWSERS) if p), None)
    driver = os.environ.get("CHROMEDRIVER") or shutil.which("chromedriver")
    if browser is None or driver is None:
        return f"no {'Chromium' if browser is None else 'chromedriver'} on the path"
    return browser, driver


def axe() -> str:
    """The source of axe-core, from the package that ships it."""
    spec = importlib.util.find_spec("selenium_axe_python")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip('axe is missing: pip install "fertune[browser]"')
    return (Path(spec.submodule_search_locations[0]) / "axe-core" / "axe.min.js").read_text("utf-8")


class Chrome:
    """One browser window. Files are opened by path; nothing else is asked for.

    Args:
        browser, driver: Paths of the programs.
        scripts: False is a browser whose user has turned JavaScript off.
    """

    def __init__(self, browser: str, driver: str, scripts: bool = True) -> None:
        from selenium import webdriver

        options = webdriver.ChromeOptions()
        options.binary_location = browser
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage"):
            options.add_argument(flag)
        if not scripts:
            options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options, webdriver.ChromeService(driver))
        self.driver.set_page_load_timeout(60)

    def close(self) -> None:
        self.driver.quit()

    def cdp(self, command: str, **parameters: Any) -> Any:
        return self.driver.execute_cdp_cmd(command, parameters)

    def js(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def size(self, width: int, height: int = 900) -> None:
        self.cdp(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def theme(self, name: str) -> None:
        """``light`` or ``dark``; nothing moves."""
        features = [
            {"name": "prefers-color-scheme", "value": name},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.cdp(EMULATION, media="", features=features)

    def sight(self, kind: str) -> None:
        """A way of seeing colours: ``none``, ``achromatopsia``, ``deuteranopia``, ..."""
        self.cdp("Emulation.setEmulatedVisionDeficiency", type=kind)

    def open(self, path: Path, width: int = 1280, theme: str = "light") -> None:
        self.size(width)
        self.theme(theme)
        self.driver.get(path.as_uri())

    def log(self, kind: str) -> list[dict[str, Any]]:
        """What came since the last call: ``browser`` (console) or ``performance`` (the network too)."""
        entries: list[dict[str, Any]] = self.driver.get_log(kind)
        return entries if kind == "browser" else [json.loads(e["message"])["message"] for e in entries]

    def requests(self) -> list[str]:
        """Addresses asked for since the last call."""
        return [
            m["params"]["request"]["url"] for m in self.log("performance") if m["method"] == "Network.requestWillBeSent"
        ]

    def picture(self, path: Path) -> Path:
        """The whole page as PNG."""
        height = self.js("return document.documentElement.scrollHeight")
        width = self.js("return innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        shot = self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(shot["data"]))
        return path

    def printed(self, path: Path) -> Path:
        """A4, as the browser's own print dialogue would."""
        shot = self.cdp("Page.printToPDF", printBackground=False, paperWidth=8.27, paperHeight=11.69)
        path.write_bytes(base64.b64decode(shot["data"]))
        return path

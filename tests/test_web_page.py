"""The page of the web example, as a person meets it in Chromium: by keyboard, in tabs, at night."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from collections.abc import Generator
from contextlib import ExitStack, closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from dasp_async.cli.fake import serving
from dasp_async.testing import Delay, FakeCustomerApi, Fault
from tests.browser import BROWSER, DRIVER, KEY, WHY_NOT, Web, chromium, comes, complaints, hosts

pytestmark = pytest.mark.skipif(BROWSER is None or DRIVER is None, reason=WHY_NOT)

MARKUP: Final = "<img src=x onerror=alert(1)> & disk full"
# WCAG 2.2, success criterion 1.4.3
CONTRAST: Final = 4.5
# The contrast of every text that is seen with what is behind it (WCAG 2.2, "contrast ratio")
CONTRASTS: Final = """
const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
const rgba = (colour) => {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data].map((each) => each / 255);
};
const light = ([...rgb]) => rgb.slice(0, 3)
  .map((each) => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)
  .reduce((sum, each, n) => sum + each * [0.2126, 0.7152, 0.0722][n], 0);
const behind = (element) => {
  const colour = rgba(getComputedStyle(element).backgroundColor);
  return colour[3] === 1 ? colour : behind(element.parentElement);
};
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const found = [];
while (texts.nextNode()) {
  const element = texts.currentNode.parentElement;
  if (!texts.currentNode.data.trim() || !element.checkVisibility()) continue;
  const pair = [light(rgba(getComputedStyle(element).color)), light(behind(element))];
  const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
  found.push([texts.currentNode.data.trim(), ratio]);
}
return found;
"""
MOVES: Final = """
return getComputedStyle(document.querySelector("#live .state"), "::before").animationName
"""


class Tab:
    """The page, with what a person does and sees there."""

    def __init__(self, driver: Any, web: Web) -> None:
        self.driver = driver
        self.web = web
        self.open()

    def open(self) -> None:
        """Load it."""
        self.driver.get(self.web.url)

    def find(self, selector: str) -> list[WebElement]:
        """The elements of a CSS selector."""
        found: list[WebElement] = self.driver.find_elements(By.CSS_SELECTOR, selector)
        return found

    def text(self, selector: str) -> str:
        """The text of an element, seen or not."""
        found: str = self.script(f"return document.querySelector('{selector}').textContent")
        return found

    def script(self, source: str) -> Any:
        """What a script returns."""
        return self.driver.execute_script(source)

    def cdp(self, command: str, **parameters: object) -> Any:
        """What a command of Chromium's own protocol answers."""
        return self.driver.execute_cdp_cmd(command, parameters)

    def press(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def focused(self) -> str:
        """What has the focus: an element's id, or else its tag."""
        found: str = self.script("const e = document.activeElement; return e.id || e.localName")
        return found

    def shows(self, where: str, *texts: str) -> bool:
        """Whether the first backup of a list comes to say all of that."""
        selector = f"#{where} li"

        def does() -> bool:
            said: str = self.script(
                f"return document.querySelector('{selector}')?.textContent ?? ''"
            )
            return all(text in said for text in texts) and bool(said)

        return comes(does)


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Generator[Any]:
    driver = chromium(tmp_path_factory.mktemp("chromium"))
    yield driver
    driver.quit()


@pytest.fixture
def fake() -> FakeCustomerApi:
    return FakeCustomerApi(KEY)


@pytest.fixture
def web(tmp_path: Path, fake: FakeCustomerApi) -> Generator[Web]:
    with serving(fake) as endpoint, Web(tmp_path, endpoint) as web:
        yield web


@pytest.fixture
def tab(driver: Any, web: Web) -> Generator[Tab]:
    """A new tab of a quiet browser; it asked no other host for anything."""
    driver.switch_to.new_window("tab")
    complaints(driver)
    list(hosts(driver))
    yield Tab(driver, web)
    assert set(hosts(driver)) <= {f"127.0.0.1:{web.port}"}
    while len(driver.window_handles) > 1:
        driver.close()
        driver.switch_to.window(driver.window_handles[-1])


def test_a_backup_is_started_by_keyboard_watched_and_seen_to_end(
    tab: Tab, fake: FakeCustomerApi
) -> None:
    fake.script_started_jobs("Pending", "Running", "Completed")
    tab.press(Keys.TAB)
    assert tab.focused() == "database"
    tab.press("shop", Keys.TAB)
    assert tab.focused() == "button"
    outline = tab.script("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    tab.press(Keys.ENTER)
    assert tab.shows("live", "shop", "Pending", "for ")
    assert tab.focused() == "button"
    assert comes(lambda: "shop: Pending." in tab.text("#news"))
    assert tab.shows("live", "shop", "Running")
    tab.open()
    assert tab.shows("live", "shop", "Running")
    assert tab.shows("over", "shop", "Done", "took ")
    assert tab.find("#live li") == []
    assert comes(lambda: "shop: Done." in tab.text("#news"))
    starts = [call for call in fake.calls if call.operation == "Sql2012CreateBackup"]
    assert [call.parameters["databaseName"] for call in starts] == ["shop"]
    assert tab.text("#left") == str(1000 - len(fake.calls))
    assert complaints(tab.driver) == []


def test_texts_of_others_stay_text(tab: Tab, fake: FakeCustomerApi) -> None:
    fake.script_started_jobs("Failed", error_message=MARKUP)
    tab.press(Keys.TAB, "<b>shop</b>", Keys.ENTER)
    assert tab.shows("over", "<b>shop</b>", "Failed", MARKUP)
    assert tab.find("li img, li b, #news img") == []
    assert complaints(tab.driver) == []


def test_a_start_that_is_refused_says_why(tab: Tab, fake: FakeCustomerApi) -> None:
    fake.script_started_jobs("Completed")
    fake.trouble(Fault(reason="No such database."))
    tab.press(Keys.TAB, "shopp", Keys.ENTER)
    assert comes(lambda: "The backup was not started" in tab.text("#problem"))
    assert "No such database." in tab.text("#problem")
    assert tab.shows("over", "shopp", "Failed", "No such database.")
    # What was typed is still there to be mended.
    assert tab.focused() == "database"
    tab.press(Keys.BACKSPACE, Keys.ENTER)
    assert tab.shows("over", "shop", "Done")
    assert tab.text("#problem") == ""


def test_pressed_twice_it_starts_one(tab: Tab, fake: FakeCustomerApi) -> None:
    fake.script_started_jobs("Completed")
    fake.trouble(Delay(0.5))
    tab.press(Keys.TAB, "shop", Keys.ENTER, Keys.ENTER)
    assert tab.shows("over", "shop", "Done")
    assert [call.operation for call in fake.calls].count("Sql2012CreateBackup") == 1


def test_two_tabs_cost_the_looks_of_one(tab: Tab, fake: FakeCustomerApi, web: Web) -> None:
    fake.script_started_jobs("Pending", "Running", "Completed")
    first = tab.driver.current_window_handle
    tab.driver.switch_to.new_window("tab")
    tab.open()
    assert web.post("shop").status_code == 202
    assert tab.shows("over", "shop", "Done")
    tab.driver.switch_to.window(first)
    assert tab.shows("over", "shop", "Done")
    assert [call.operation for call in fake.calls].count("GetJobStatus") == 3
    assert tab.text("#left") == str(1000 - len(fake.calls))


@pytest.mark.skipif(os.name != "posix", reason="ends processes by signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_the_page_recovers_by_itself(
    tab: Tab, fake: FakeCustomerApi, web: Web, number: int
) -> None:
    fake.script_started_jobs("Running", "Running", "Completed")
    web.post("shop")
    assert tab.shows("live", "shop", "Running")
    tab.script("window.isTheSame = true")
    web.end(number)
    assert comes(lambda: "be reached" in tab.text("#line"))
    web.start()
    assert comes(lambda: not tab.text("#line"))
    assert tab.shows("over", "shop", "Done")
    assert tab.script("return window.isTheSame") is True


class Gateway(BaseHTTPRequestHandler):
    """A proxy that has lost the server behind it."""

    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_error(502)


@pytest.mark.skipif(os.name != "posix", reason="ends processes by signals")
def test_the_page_tries_on_through_answers_that_are_no_events(tab: Tab, web: Web) -> None:
    web.end(signal.SIGKILL)
    with ThreadingHTTPServer(("127.0.0.1", web.port), Gateway) as gateway, ExitStack() as stack:
        threading.Thread(target=gateway.serve_forever).start()
        stack.callback(gateway.shutdown)
        # A browser gives up by itself after the first one.
        assert comes(lambda: Gateway.asked >= 2)
    web.start()
    web.post("shop")
    assert tab.shows("live", "shop")


def tree(tab: Tab) -> list[tuple[str, str]]:
    """What a screen reader is given: roles and names."""
    nodes: list[dict[str, Any]] = tab.cdp("Accessibility.getFullAXTree")["nodes"]
    return [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node["ignored"]
    ]


def test_a_screen_reader_finds_its_way(tab: Tab, fake: FakeCustomerApi, web: Web) -> None:
    fake.script_started_jobs("Running")
    web.post("wiki")
    fake.script_started_jobs("Completed")
    web.post("shop")
    assert tab.shows("live", "wiki", "Running")
    assert tab.shows("over", "shop", "Done")
    assert tab.script("return document.documentElement.lang") == "en"
    seen = tree(tab)
    for node in (
        ("RootWebArea", "Backups"),
        ("banner", ""),
        ("heading", "Backups"),
        ("main", ""),
        ("form", "Start a backup"),
        ("textbox", "Name of the database"),
        ("button", "Start backup"),
        ("status", ""),
        ("alert", ""),
        ("region", "Under way"),
        ("region", "Finished"),
        ("heading", "wiki"),
        ("heading", "shop"),
    ):
        assert node in seen, (node, seen)
    assert [role for role, _ in seen].count("list") == 2
    assert [role for role, _ in seen].count("listitem") == 2
    # Headings leave no level out.
    levels = [heading.tag_name for heading in tab.find("h1, h2, h3")]
    assert levels == ["h1", "h2", "h2", "h3", "h2", "h3"]


def furnished(tab: Tab, fake: FakeCustomerApi) -> None:
    """Have a backup of every kind, and a problem."""
    kinds: list[tuple[str, tuple[str, ...], str | None]] = [
        ("intranet", ("Completed",), None),
        ("orders-2025", ("Failed",), "There is not enough space on the disk."),
        ("shop", ("Completed",), None),
        ("customers", ("Pending",), None),
        ("wiki", ("Running",), None),
    ]
    for database, steps, reason in kinds:
        fake.script_started_jobs(*steps, error_message=reason)
        assert tab.web.post(database).status_code == 202
    assert comes(lambda: len(tab.find("#over li")) == 3)
    assert tab.shows("live", "wiki", "Running")
    with closing(sqlite3.connect(tab.web.folder / "data" / "backups.sqlite")) as file, file:
        file.execute("UPDATE backups SET started = started - 47 * (6 - number)")
    tab.open()
    assert tab.shows("over", "shop", "took 2 min 21 s")


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest, tab: Tab) -> Generator[str]:
    """By the reader's wish, as the system tells it."""
    name: str = request.param
    features = [
        {"name": "prefers-color-scheme", "value": name},
        {"name": "prefers-reduced-motion", "value": "reduce"},
    ]
    tab.cdp("Emulation.setEmulatedMedia", features=features)
    yield name
    tab.cdp("Emulation.clearDeviceMetricsOverride")


def test_it_can_be_read_by_day_and_night_on_wide_and_narrow_screens(
    tab: Tab, fake: FakeCustomerApi, scheme: str, tmp_path: Path
) -> None:
    """With DASP_SCREENSHOT set to a path, it leaves a picture of the page by day there."""
    furnished(tab, fake)
    for width, height in ((320, 900), (900, 790)):
        tab.cdp(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        assert tab.script("return document.documentElement.scrollWidth") <= width
        assert tab.driver.save_screenshot(str(tmp_path / f"{scheme}-{width}.png"))
    if scheme == "light" and "DASP_SCREENSHOT" in os.environ:
        assert tab.driver.save_screenshot(os.environ["DASP_SCREENSHOT"])

    fake.trouble(Fault(reason="No such database."))
    tab.press(Keys.TAB, "shopp", Keys.ENTER)
    assert comes(lambda: tab.text("#problem"))
    assert tab.script(MOVES) == "none"
    contrasts: list[tuple[str, float]] = tab.script(CONTRASTS)
    assert len(contrasts) > 25
    assert [each for each in contrasts if each[1] < CONTRAST] == []
    ground = tab.script("return getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(244, 246, 249)", "dark": "rgb(16, 19, 24)"}[scheme]

"""The example of a web application, over HTTP: starts, failures, restarts, and who is kept out."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import ExitStack, aclosing, asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

import anyio
import httpx
import pytest
import uvicorn

from dasp_async import CallBudget, CustomerApi, MemoryBudget, Schedule
from dasp_async.cli.fake import listener, serving
from dasp_async.testing import (
    Delay,
    DroppedConnection,
    FakeClock,
    FakeCustomerApi,
    Fault,
    RawAnswer,
    Trouble,
)
from tests.browser import EXAMPLE, KEY, Web, comes

# The example is no package: its files find each other when it is run in its folder.
sys.path.insert(0, str(EXAMPLE))
web: Any = importlib.import_module("app")
jobs: Any = importlib.import_module("jobs")
sys.path.remove(str(EXAMPLE))

START: Final = "Sql2012CreateBackup"
AT_ONCE: Final = Schedule(initial=0.001, maximum=0.001)


def starts(fake: FakeCustomerApi) -> list[Any]:
    """The databases of which a backup was started."""
    return [call.parameters["databaseName"] for call in fake.calls if call.operation == START]


def stand(page: dict[str, Any], states: tuple[str, ...]) -> bool:
    return tuple(each["state"] for each in page["backups"]) == states


class Site(NamedTuple):
    """The application in memory, a client of it, and what it keeps."""

    http: httpx.AsyncClient
    backups: Any

    async def start(self, database: str = "shop") -> httpx.Response:
        return await self.http.post("/backups", json={"database": database})

    async def page(self, condition: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """What the page shows, once the condition holds."""
        with anyio.fail_after(10):
            async with aclosing(self.backups.pages()) as pages:
                async for page in pages:
                    if condition(page):
                        return dict(page)
        raise AssertionError

    async def comes_to(self, *states: str) -> list[dict[str, Any]]:
        """The backups, newest first, once they stand like that."""
        rows: list[dict[str, Any]] = (await self.page(lambda page: stand(page, states)))["backups"]
        return rows


@asynccontextmanager
async def site(
    folder: Path,
    service: Any,
    *,
    key: str = KEY,
    budget: CallBudget | None = None,
    pauses: Schedule = AT_ONCE,
) -> AsyncGenerator[Site]:
    """The application on a fake service, both in memory, and waits that take no time."""
    clock = FakeClock()
    budget = MemoryBudget(clock=clock) if budget is None else budget
    async with (
        httpx.AsyncClient(transport=service) as to_service,
        CustomerApi(key, http_client=to_service, budget=budget, clock=clock) as api,
        jobs.kept(api, budget, folder / "backups.sqlite", pauses) as backups,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(web.app), base_url="http://127.0.0.1"
        ) as http,
    ):
        web.app.dependency_overrides[web.of_lifespan] = lambda: backups
        yield Site(http, backups)


def of(fake: FakeCustomerApi) -> httpx.ASGITransport:
    return httpx.ASGITransport(fake)


async def test_a_backup_is_started_once_and_waited_for(tmp_path: Path) -> None:
    fake = FakeCustomerApi(KEY)
    async with site(tmp_path, of(fake)) as at:
        answer = await at.start()
        assert answer.status_code == 202
        [backup] = await at.comes_to("done")
        assert answer.json() == {"job_id": backup["job_id"]}
        assert (backup["database"], backup["word"]) == ("shop", "Completed")
        assert backup["message"] is None
    assert starts(fake) == ["shop"]


async def test_a_job_that_fails_is_shown_with_its_message(tmp_path: Path) -> None:
    fake = FakeCustomerApi(KEY)
    fake.script_started_jobs(error_message="disk <full>")
    async with site(tmp_path, of(fake)) as at:
        await at.start()
        [backup] = await at.comes_to("failed")
        assert (backup["word"], backup["message"]) == ("Failed", "disk <full>")


class Unreachable(httpx.AsyncBaseTransport):
    """A service that nobody gets through to."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route to host", request=request)


BUSY: Final = RawAnswer("busy", status=503, headers={"Retry-After": "77"})


@pytest.mark.parametrize(
    ("trouble", "may_have_begun", "text", "retry_after"),
    [
        (BUSY, True, "503", "77"),
        (RawAnswer("<html>", status=200), True, "text/html", None),
        (DroppedConnection(), True, "answer", None),
        (Fault(reason="No such database."), False, "No such database.", None),
        (Fault(reason=f"Not for {KEY}."), False, "Not for", None),
    ],
    ids=["busy", "page", "dropped", "fault", "echo"],
)
async def test_a_start_that_fails_says_whether_it_may_have_been_sent(
    tmp_path: Path,
    trouble: Trouble,
    may_have_begun: bool,
    text: str,
    retry_after: str | None,
) -> None:
    fake = FakeCustomerApi(KEY)
    fake.trouble(trouble)
    async with site(tmp_path, of(fake)) as at:
        answer = await at.start()
        [backup] = await at.comes_to("unclear" if may_have_begun else "failed")
    assert answer.status_code == 502
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers.get("Retry-After") == retry_after
    problem = answer.json()
    assert problem["maybe_started"] is may_have_begun
    assert text in problem["detail"]
    assert problem["detail"] in backup["message"]
    assert ("Look in the control panel" in backup["message"]) is may_have_begun
    assert KEY not in answer.text + str(backup)
    # Whatever became of it, it was sent once.
    assert len(fake.calls) == 1


async def test_a_start_that_reached_nobody(tmp_path: Path) -> None:
    async with site(tmp_path, Unreachable()) as at:
        answer = await at.start()
        await at.comes_to("failed")
    assert (answer.status_code, answer.json()["maybe_started"]) == (502, False)
    assert answer.json()["title"] == "The backup was not started"


async def test_a_wrong_key_is_tried_once(tmp_path: Path) -> None:
    fake = FakeCustomerApi(KEY)
    async with site(tmp_path, of(fake), key="wrong-key") as at:
        refused, held_back = await at.start(), await at.start()
    assert (refused.status_code, held_back.status_code) == (502, 503)
    assert "Invalid API key" in refused.json()["detail"]
    assert 0 < int(held_back.headers["Retry-After"]) <= 60
    assert "wrong-key" not in refused.text + held_back.text
    assert len(fake.calls) == 1


async def test_when_no_call_is_left_nothing_is_sent(tmp_path: Path) -> None:
    fake = FakeCustomerApi(KEY)
    fake.trouble(Fault(reason="No such database."))
    async with site(tmp_path, of(fake), budget=MemoryBudget(limit=1)) as at:
        await at.start()
        answer = await at.start()
        assert (answer.status_code, answer.json()["maybe_started"]) == (429, False)
        assert (await at.page(bool))["calls_left"] == 0
    assert len(fake.calls) == 1


async def test_a_wait_that_stops_is_taken_up_again(tmp_path: Path) -> None:
    fake = FakeCustomerApi(KEY)
    fake.script_started_jobs("Running", RawAnswer("moved", status=404), "Completed")
    async with site(tmp_path, of(fake), pauses=Schedule(initial=0.3)) as at:
        await at.start()
        [backup] = (await at.page(lambda page: page["backups"][0]["message"]))["backups"]
        assert backup["state"] == "running"
        assert "will be tried again" in backup["message"]
        assert "404" in backup["message"]
        [backup] = await at.comes_to("done")
        assert backup["message"] is None


async def test_a_disk_that_fails_for_a_while_loses_no_outcome(tmp_path: Path) -> None:
    fake = FakeCustomerApi(KEY)
    fake.script_started_jobs("Completed")
    fake.trouble(Delay(0))
    fake.trouble(Delay(0.3))
    async with site(tmp_path, of(fake)) as at:
        await at.start()
        with closing(sqlite3.connect(tmp_path / "backups.sqlite")) as file:
            file.execute("ALTER TABLE backups RENAME TO mislaid")
            await anyio.sleep(0.5)
            file.execute("ALTER TABLE mislaid RENAME TO backups")
        await at.comes_to("done")
    assert len(fake.calls) == 2


async def test_an_unknown_job_is_asked_for_once(tmp_path: Path) -> None:
    fake = FakeCustomerApi(KEY)
    fake.script_started_jobs(Fault(reason="Job not found."))
    async with site(tmp_path, of(fake)) as at:
        await at.start()
        [backup] = await at.comes_to("unclear")
        assert backup["message"] == "The service does not know this job."
        await anyio.sleep(0.1)
    assert len(fake.calls) == 2


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", "database=shop"),
        ("multipart/form-data; boundary=x", '--x\r\nname="database"\r\n\r\nshop\r\n--x--'),
        ("text/plain", '{"database": "shop"}'),
        (None, '{"database": "shop"}'),
        ("application/json", '{"database": "\\ud800"}'),
        ("application/json", '{"database": "a\\u0000b"}'),
        ("application/json", '{"database": "a\\uffffb"}'),
        ("application/json", '{"database": "  "}'),
        ("application/json", json.dumps({"database": "x" * 129})),
        ("application/json", '{"database": ["shop"]}'),
        ("application/json", '{"database": '),
        ("application/json", "{}"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_what_is_no_request_of_the_page_starts_nothing(
    tmp_path: Path, content_type: str | None, body: str
) -> None:
    """A page of another site can send the first four kinds unasked."""
    fake = FakeCustomerApi(KEY)
    headers = {} if content_type is None else {"Content-Type": content_type}
    async with site(tmp_path, of(fake)) as at:
        answer = await at.http.post("/backups", content=body, headers=headers)
        await at.comes_to()
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert fake.calls == ()


async def test_another_site_is_not_let_in(tmp_path: Path) -> None:
    async with site(tmp_path, of(FakeCustomerApi(KEY))) as at:
        asked_first = await at.http.options(
            "/backups",
            headers={
                "Origin": "https://evil.example",
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "content-type",
            },
        )
        by_its_name = await at.http.get("/", headers={"Host": "evil.example"})
    assert asked_first.status_code == 405
    assert "Access-Control-Allow-Origin" not in asked_first.headers
    assert by_its_name.status_code == 400


async def test_the_page_can_load_nothing_but_its_own_files(tmp_path: Path) -> None:
    async with site(tmp_path, of(FakeCustomerApi(KEY))) as at:
        for path in ("/", "/index.html", "/page.js", "/style.css", "/icon.svg"):
            answer = await at.http.get(path)
            assert answer.status_code == 200
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; ")
            assert "unsafe" not in answer.headers["Content-Security-Policy"]
            assert "://" not in answer.text.replace("http://www.w3.org/2000/svg", "")


# FastAPI under uvicorn runs on asyncio alone.
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_streams_that_are_left_leave_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listener(0) as listening:
        monkeypatch.setenv("DASP_API_KEY", KEY)
        monkeypatch.setenv("DASP_DATA", str(tmp_path))
        web.app.dependency_overrides.clear()
        server = uvicorn.Server(uvicorn.Config(web.app, log_level="critical", ws="none"))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with anyio.create_task_group() as group:
            group.start_soon(server.serve, [listening])
            while not server.started:
                await anyio.sleep(0.01)
            before = len(anyio.get_running_tasks())
            async with httpx.AsyncClient(base_url=url) as http, anyio.create_task_group() as tabs:
                for _ in range(5):
                    tabs.start_soon(http.get, "/events")
                while len(server.server_state.tasks) < 5:
                    await anyio.sleep(0.01)
                assert len(anyio.get_running_tasks()) > before + 5
                tabs.cancel_scope.cancel()
            with anyio.fail_after(5):
                while server.server_state.tasks or len(anyio.get_running_tasks()) > before:
                    await anyio.sleep(0.01)
            server.should_exit = True


needs_signals = pytest.mark.skipif(os.name != "posix", reason="ends processes by signals")


def events(url: str) -> Iterator[dict[str, Any]]:
    """What the stream of events tells, as it comes."""
    with httpx.stream("GET", f"{url}/events", timeout=20) as stream:
        for line in stream.iter_lines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


def standing(web: Web, *states: str) -> list[dict[str, Any]]:
    """The backups, newest first, once they stand like that."""
    for page in events(web.url):
        rows: list[dict[str, Any]] = page["backups"]
        if stand(page, states):
            return rows
    raise AssertionError


@needs_signals
def test_it_goes_on_after_a_kill_and_the_key_is_nowhere(tmp_path: Path) -> None:
    fake = FakeCustomerApi(KEY)
    fake.script_started_jobs("Running")
    with serving(fake) as endpoint, Web(tmp_path, endpoint) as web:
        job_id = web.post("shop").json()["job_id"]
        standing(web, "running")
        web.end(signal.SIGKILL)

        fake.add_job("Completed", job_id=UUID(job_id))
        web.start()
        [backup] = standing(web, "done")
        assert (backup["job_id"], backup["database"]) == (job_id, "shop")
        assert starts(fake) == ["shop"]

        seen = [next(events(web.url)), web.post(" ").text]
        seen += [httpx.get(f"{web.url}/{name}").text for name in ("", "page.js", "openapi.json")]
        assert web.end(signal.SIGTERM) in {0, -signal.SIGTERM}
        kept = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir())
        assert KEY not in str(seen) + web.log.read_text()
        assert KEY.encode() not in kept


@needs_signals
def test_a_start_that_a_kill_interrupts_is_not_made_again(tmp_path: Path) -> None:
    fake = FakeCustomerApi(KEY)
    with serving(fake) as endpoint, Web(tmp_path, endpoint) as web:
        fake.trouble(Delay(2))

        def post() -> None:
            with suppress(httpx.TransportError):
                web.post("shop")

        poster = threading.Thread(target=post)
        poster.start()
        assert comes(lambda: fake.calls)
        web.end(signal.SIGKILL)
        poster.join()
        web.start()
        [backup] = standing(web, "unclear")
        assert "Look in the control panel" in backup["message"]
    assert starts(fake) == ["shop"]


@needs_signals
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
def test_open_streams_do_not_hold_up_its_end(tmp_path: Path, number: int) -> None:
    with (
        serving(FakeCustomerApi(KEY)) as endpoint,
        Web(tmp_path, endpoint) as web,
        ExitStack() as stack,
    ):
        tabs = [events(web.url) for _ in range(3)]
        for tab in tabs:
            stack.callback(tab.close)  # type: ignore[attr-defined]
            assert next(tab)["backups"] == []
        code = web.end(number)
        assert [list(tab) for tab in tabs] == [[], [], []]
        assert code in {0, -number}
        log = web.log.read_text()
        assert "Application shutdown complete" in log
        assert not any(word in log for word in ("ERROR", "WARNING", "Traceback"))

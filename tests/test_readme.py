"""The README: its code runs, and its tables say what the code says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import UUID

import anyio
import httpx
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from typer.testing import CliRunner

from dasp_async import CustomerApi, JobRules, MemoryBudget, PollTimeout, __version__, errors
from dasp_async.cli import app
from dasp_async.cli.exits import MEANINGS
from dasp_async.cli.fake import serving
from dasp_async.testing import FakeClock, FakeCustomerApi, RawAnswer

README = Path(__file__).parents[1] / "README.md"
TEXT = README.read_text("utf-8")
KEY = "test-key"
JOB = UUID("a0000000-0000-0000-0000-000000000001")


def fences(language: str) -> list[Token]:
    """The code blocks of a language."""
    return [
        token
        for token in MarkdownIt().parse(TEXT)
        if token.type == "fence" and token.info == language
    ]


def line_of(token: Token) -> str:
    return f"line {token.map[0] + 1}" if token.map else "somewhere"


@pytest.fixture
def _service(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    fake = FakeCustomerApi(KEY)
    fake.add_job("Completed", job_id=JOB)
    with serving(fake) as endpoint:
        monkeypatch.setenv("DASP_API_KEY", KEY)
        monkeypatch.setenv("DASP_ENDPOINT", endpoint)
        yield


def is_test_module(block: Token) -> bool:
    return "import pytest" in block.content


def changes_the_process(block: Token) -> bool:
    return "set_tracer_provider" in block.content


def text_with(text: str) -> str:
    """The block with this text."""
    (block,) = (each.content for each in fences("python") if text in each.content)
    return block


@pytest.mark.usefixtures("_service")
@pytest.mark.parametrize(
    "block",
    [each for each in fences("python") if not (is_test_module(each) or changes_the_process(each))],
    ids=line_of,
)
def test_the_code_runs(block: Token) -> None:
    source = compile(block.content, f"README.md, {line_of(block)}", "exec", dont_inherit=True)
    exec(source, {"__name__": "readme"})  # noqa: S102 - our own README


@pytest.mark.parametrize(
    "block", [block for block in fences("python") if is_test_module(block)], ids=line_of
)
def test_the_tests_pass(block: Token, tmp_path: Path) -> None:
    module = tmp_path / "test_readme_block.py"
    module.write_text(block.content, "utf-8")
    (tmp_path / "backups.py").write_text(text_with("# backups.py"), "utf-8")
    run = subprocess.run(  # noqa: S603 - our own interpreter and README
        [sys.executable, "-m", "pytest", "-q", module],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert re.search(r"^\d+ passed in ", run.stdout, re.MULTILINE), run.stdout


def block_with(text: str) -> dict[str, Any]:
    """The names that the block with this text defines."""
    names: dict[str, Any] = {"__name__": "readme"}
    exec(compile(text_with(text), "README.md", "exec", dont_inherit=True), names)  # noqa: S102 - our own README
    return names


async def back_up(backend: Any) -> dict[str, str]:
    """Start a backup as a browser would, and ask until something is known of it."""
    async with (
        backend.router.lifespan_context(backend),
        httpx.AsyncClient(transport=httpx.ASGITransport(backend), base_url="http://it") as browser,
    ):
        answer = await browser.post("/backups/shop")
        assert answer.status_code == 202
        job = f"/jobs/{answer.json()}"
        known: dict[str, str] = (await browser.get(job)).json()
        while known["state"] == "running":
            await anyio.sleep(0.01)
            known = (await browser.get(job)).json()
        return known


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_web_backend_follows_what_it_started(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeCustomerApi(KEY)
    fake.script_started_jobs("Completed")
    with serving(fake) as endpoint:
        monkeypatch.setenv("DASP_API_KEY", KEY)
        monkeypatch.setenv("DASP_ENDPOINT", endpoint)
        known = anyio.run(back_up, block_with("# backups.py")["app"], backend=backend)
    assert known == {"status": "Completed", "state": "done"}
    fake.assert_called("Sql2012CreateBackup", {"databaseName": "shop"}, times=1)
    fake.assert_called("GetJobStatus", times=1)


@pytest.mark.usefixtures("_service")
def test_the_script_prints_how_the_job_ended() -> None:
    run = subprocess.run(  # noqa: S603 - our own interpreter and README
        [sys.executable, "-c", text_with("sys.argv"), str(JOB)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "Completed\n", "")


DJANGO = """
import asyncio
from django.conf import settings
from django.test import RequestFactory
settings.configure()
print(asyncio.run(job(RequestFactory().get("/"), UUID(sys.argv[1]))).content.decode())
"""
CELERY = """
app.conf.task_always_eager = True
print(wait_for_job.delay(sys.argv[1]).get())
"""


@pytest.mark.parametrize(
    ("text", "program", "out"),
    [
        ("from django", DJANGO, '{"status": "Completed", "over": true}\n'),
        ("from celery", CELERY, "done\n"),
    ],
    ids=["django", "celery"],
)
def test_other_peoples_frameworks_ask_for_a_job(
    text: str, program: str, out: str, tmp_path: Path
) -> None:
    block = text_with(text)
    fake = FakeCustomerApi(KEY)
    job_id = fake.add_job("Completed")
    if "celery" in text:
        fake.trouble(RawAnswer("busy", status=503), times=3)
    with serving(fake) as endpoint:
        run = subprocess.run(  # noqa: S603 - our own interpreter and README
            [sys.executable, "-c", f"{block}\nimport sys\n{program}", str(job_id)],
            cwd=tmp_path,
            env={**os.environ, "DASP_API_KEY": KEY, "DASP_ENDPOINT": endpoint},
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
    assert (run.returncode, run.stdout) == (0, out), run.stderr


@pytest.mark.usefixtures("_service")
def test_the_trace_has_a_span_for_the_look() -> None:
    program = f"{text_with('set_tracer_provider')}\nimport anyio\nanyio.run(traced, '{JOB}')"
    run = subprocess.run(  # noqa: S603 - our own interpreter and README
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    assert re.findall(r'"name": "(\w+)"', run.stdout) == ["POST", "wait"]
    assert KEY not in run.stdout


async def test_the_hook_counts() -> None:
    names = block_with("on_exchange=count")
    fake = FakeCustomerApi(KEY)
    fake.trouble(RawAnswer("busy", status=503))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(fake)) as http:
        api = CustomerApi(KEY, http_client=http, on_exchange=names["count"], clock=FakeClock())
        await api.get_job_status(fake.add_job("Completed"))
    assert names["calls"] == {("GetJobStatus", "HttpError"): 1, ("GetJobStatus", "ok"): 1}


async def test_the_log_says_what_the_table_of_its_lines_says(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG", "dasp_async")
    clock = FakeClock()
    fake = FakeCustomerApi(KEY, clock=clock)
    budget = MemoryBudget(limit=10, clock=clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=fake)) as http:
        api = CustomerApi(KEY, http_client=http, clock=clock, budget=budget)
        fake.trouble(RawAnswer("busy", status=503))
        jobs = [fake.add_job("Running", "Running", "Completed") for _ in range(4)]
        async with api.poll_many(jobs, timeout=None) as outcomes:
            async for _ in outcomes:
                pass
    said = {(each.levelname, shape(each.getMessage())) for each in caplog.records}
    rows = re.findall(r"^\| (DEBUG|INFO|WARNING) \| .+ \| `(.+)` \|$", TEXT, re.MULTILINE)
    assert len(rows) == 4
    assert {(level, shape(line)) for level, line in rows} <= said


def shape(line: str) -> str:
    """A line of the log without what differs from job to job."""
    line = re.sub(r"[0-9a-f]{8}-[0-9a-f-]+|0f0e…", "ID", line)
    return re.sub(r"\d+(\.\d+)?", "N", line)


@pytest.mark.usefixtures("_service")
@pytest.mark.parametrize(
    "line",
    [
        line
        for block in fences("")
        for line in block.content.splitlines()
        if line.startswith("dasp ") and not line.startswith("dasp serve")  # which does not end
    ],
)
def test_the_command_lines_run(line: str) -> None:
    words = re.split(r"  +", line)[0].replace("...", "").replace("[", "").replace("]", "").split()
    meant = {
        "JOB_ID": str(JOB),
        "OPERATION": "BandwidthGetUsage",
        "NAME=VALUE": "startDate=2026-03-01 endDate=2026-03-31",
    }
    arguments = " ".join(meant.get(word, word) for word in words[1:]).split()
    result = CliRunner().invoke(app, [*arguments, *(["--reads"] if "call" in line else [])])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("module", sorted(set(re.findall(r"python -m (tests\.[\w.]+)", TEXT))))
def test_the_modules_named_can_be_run(module: str) -> None:
    assert find_spec(module) is not None


def test_the_first_of_the_changes_is_this_version() -> None:
    first = re.search(r"^## Changes\n\n\*\*(.+?)\*\*", TEXT, re.MULTILINE)
    assert first is not None
    assert first[1] == __version__


def test_every_link_leads_somewhere() -> None:
    headings = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        if target.startswith("#"):
            assert target[1:] in anchors, target
        else:
            assert (README.parent / target).exists(), target


async def test_a_wait_of_an_hour_costs_about_as_many_calls_as_stated() -> None:
    stated = re.search(r"hour makes about (\d+)", TEXT)
    assert stated is not None
    clock = FakeClock()
    fake = FakeCustomerApi(KEY, clock=clock)
    job_id = fake.add_job("Running")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=fake)) as http:
        with pytest.raises(PollTimeout):
            await CustomerApi(KEY, http_client=http, clock=clock).poll_until_done(job_id)
    assert abs(len(fake.calls) - int(stated[1])) <= 4


def test_the_two_commands_stand_alone_on_their_lines() -> None:
    demo, tests = (token.content.splitlines() for token in fences("sh"))
    assert (len(demo), demo[0].split()[-2:]) == (1, [".venv/bin/dasp", "demo"])
    assert (len(tests), tests[0].split()[-3:]) == (1, [".venv-test/bin/pytest", "-n", "2"])


def test_the_error_tree_is_the_one_in_the_code() -> None:
    tree = next(token.content for token in fences("") if token.content.startswith("DaspError"))
    assert errors.__doc__ is not None
    drawn = "\n".join(line.removeprefix("    ") for line in errors.__doc__.splitlines())
    assert tree in drawn


def test_the_exit_codes_are_those_of_the_command() -> None:
    rows = dict(re.findall(r"^\| (\d+) \| (.+) \|$", TEXT, re.MULTILINE))
    assert rows == {str(code.value): meaning for code, meaning in MEANINGS.items()}


def test_the_default_words_are_those_of_the_rules() -> None:
    stated = re.findall(r"`(done|failed)_words` are\s+(.+?)[;.]", TEXT, re.DOTALL)
    assert {name: frozenset(re.split(r",\s+", words)) for name, words in stated} == {
        "done": JobRules().done_words,
        "failed": JobRules().failed_words,
    }

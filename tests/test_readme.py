"""The README: its code runs, and its tables say what the code says."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from dasp_async import CustomerApi, JobRules, PollTimeout, errors
from dasp_async.cli.exits import MEANINGS
from dasp_async.cli.fake import serving
from dasp_async.testing import FakeClock, FakeCustomerApi

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


@pytest.mark.usefixtures("_service")
@pytest.mark.parametrize(
    "block", [block for block in fences("python") if not is_test_module(block)], ids=line_of
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
    run = subprocess.run(  # noqa: S603 - our own interpreter and README
        [sys.executable, "-m", "pytest", "-q", module],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert "4 passed" in run.stdout, run.stdout


async def test_a_wait_of_an_hour_costs_about_as_many_calls_as_stated() -> None:
    stated = re.search(r"hour costs about (\d+)", TEXT)
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

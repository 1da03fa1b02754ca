"""The README: its code runs, and its tables say what the code says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from dasp_async import JobRules, errors
from dasp_async.cli.exits import MEANINGS
from dasp_async.cli.fake import serving
from dasp_async.testing import FakeCustomerApi

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


@pytest.mark.usefixtures("_service")
@pytest.mark.parametrize("block", fences("python"), ids=line_of)
def test_the_code_runs(block: Token) -> None:
    source = compile(block.content, f"README.md, {line_of(block)}", "exec", dont_inherit=True)
    exec(source, {"__name__": "readme"})  # noqa: S102 - our own README


def test_the_two_commands_stand_alone_on_their_lines() -> None:
    demo, tests = (token.content.splitlines() for token in fences("sh"))
    assert (len(demo), demo[0].split()[-2:]) == (1, [".venv/bin/dasp", "demo"])
    assert (len(tests), tests[0].split()[-2:]) == (1, ["-m", "pytest"])


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

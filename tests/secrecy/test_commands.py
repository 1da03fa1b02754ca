"""No command shows the key or a password: not on its outputs, nor in the list of processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

import dasp_async.calls
from dasp_async import Schedule
from dasp_async.cli import app
from dasp_async.cli.fake import serving
from dasp_async.testing import FakeCustomerApi, Fault
from tests.secrecy.faults import FAULTS, HTTP, SOAP, echo
from tests.secrecy.search import JOB, KEY, KEYS, PASSWORD, found
from tests.servers import RawServer, is_silent

KEYED: Final = {
    "status": ["status", JOB],
    "status --json": ["status", JOB, "--json"],
    "wait": ["wait", JOB, "--timeout", "0.2"],
    "wait --json": ["wait", JOB, "--timeout", "0.2", "--json"],
    "doctor": ["doctor", "--with-key"],
}
# Not with the size cap that its row sets: a command has none to set
FAULTY: Final = [*HTTP, *sorted(SOAP.keys() - {"cut in the key"}), "closed", "reset", "not HTTP"]


@pytest.fixture(autouse=True)
def _retries_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dasp_async.calls, "RETRY_PAUSES", Schedule(initial=0.001, maximum=0.001))


@pytest.mark.parametrize("terminal", ["dumb", "xterm"])
@pytest.mark.parametrize("fault", FAULTY)
def test_no_fault_makes_a_command_show_the_key(fault: str, terminal: str) -> None:
    row, key = FAULTS[fault], KEYS["with signs"]
    environment = {"DASP_API_KEY": key, "COLUMNS": "300"}
    if terminal == "xterm":
        # rich draws a table that moves
        environment |= {"TTY_COMPATIBLE": "1", "FORCE_COLOR": "1"}
    commands = [KEYED["wait"]] if terminal == "xterm" else KEYED.values()
    with RawServer(row.serve([key]), **row.server()) as server:
        environment["DASP_ENDPOINT"] = server.url
        for words in commands:
            result = CliRunner().invoke(app, words, env=environment)
            assert result.output
            assert found(result.output, [key]) == [], words


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """The key and a password, each in a file."""
    for name, text in {"key": KEY, "password": PASSWORD}.items():
        (tmp_path / name).write_text(text, "utf-8")
    return {name: str(tmp_path / name) for name in ("key", "password")}


def test_no_call_shows_a_secret(files: dict[str, str]) -> None:
    fake = FakeCustomerApi(KEY)
    job = fake.add_job(Fault(reason=echo([KEY]), detail=f"<a>{KEY}</a>"))
    add = [
        *("call", "SMAddUser", "domainName=a.example", "userName=ann", "firstName=A"),
        *("lastName=B", "maxMailboxSizeInMB=1", f"password=@{files['password']}"),
    ]
    with serving(fake) as endpoint:
        where = ["--key-file", files["key"], "--endpoint", endpoint]
        for words in (
            ["call", "GetJobStatus", f"jobId={job}", *where],
            [*add, "--dry-run", *where],
            [*add, *where],
            [*add, "--yes", *where],
            [*add, "maxMailboxSizeInMB=x", "--yes", *where],
            [*add[:2], f"password={PASSWORD}", *where],
            ["call", "SMAddUser", f"password:=@{files['password']}", *where],
            ["operations", "--endpoint", endpoint],
            ["--help"],
            ["call", "--help"],
            ["wait", "--help"],
        ):
            result = CliRunner().invoke(app, words, input="n\n", env={"DASP_API_KEY": KEY})
            assert result.output
            assert found(result.output, [KEY, PASSWORD]) == [], words


@pytest.mark.parametrize("variable", ["DASP_API_KEY", "DASP_ENDPOINT"])
def test_no_wrong_environment_is_quoted(variable: str) -> None:
    environment = {"DASP_API_KEY": KEY, variable: f"{KEY}\x07"}
    for words in KEYED.values():
        result = CliRunner().invoke(app, words, env=environment)
        assert result.exit_code == 2
        assert found(result.output, [KEY]) == []


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="no list of processes in /proc")
def test_the_list_of_processes_shows_no_secret(files: dict[str, str]) -> None:
    words = ["wait", JOB, "--key-file", files["key"]]
    with (
        RawServer(is_silent) as server,
        subprocess.Popen(  # noqa: S603 - our own interpreter and program
            [sys.executable, "-m", "dasp_async", *words, "--endpoint", server.url],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process,
    ):
        while not server.connections:
            assert process.poll() is None
            server.stopping.wait(0.01)
        shown = [
            path.read_bytes().decode("utf-8", "replace")
            for path in Path(f"/proc/{process.pid}").glob("task/*/[c]*")
            if path.name in {"cmdline", "comm"}
        ]
        process.kill()
    assert any("dasp_async" in text for text in shown)
    assert found("\n".join(shown), [KEY]) == []

"""The `dasp` command against a fake service on a real socket."""

from __future__ import annotations

import errno
import io
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import anyio
import pytest
import uvicorn
from rich.console import Console
from typer.testing import CliRunner

from dasp_async import AttemptTimeout, CallRefused, JobState, JobStatus, __version__
from dasp_async.__main__ import main
from dasp_async.cli import app, ended_by
from dasp_async.cli.display import Display, Row, printable
from dasp_async.cli.exits import ExitCode, exit_code
from dasp_async.models import JobRecord
from dasp_async.testing import FakeCustomerApi, Fault, RawAnswer
from tests.commands import KEY, Service, served

JOB = UUID("a0000000-0000-0000-0000-000000000001")
DASP = [sys.executable, "-m", "dasp_async"]


@pytest.fixture
def service() -> Iterator[Service]:
    with served(FakeCustomerApi(KEY)) as service:
        yield service


def forbidden() -> RawAnswer:
    return RawAnswer(status=403, body="<h1>Your address is not welcome</h1>")


# --- status -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "code", "shown"),
    [
        ("Completed", ExitCode.DONE, "Completed"),
        ("Running", ExitCode.NOT_OVER, "Running"),
        (JobRecord(status="Failed", error_message="disk full"), ExitCode.FAILED, "disk full"),
        (JobRecord(status="Failed"), ExitCode.FAILED, "no reason given"),
        (JobRecord(job_name="x"), ExitCode.NOT_OVER, "(no word)"),
        (Fault(reason="Invalid API key."), ExitCode.REFUSED, "Invalid API key."),
        (forbidden(), ExitCode.REFUSED, "Your address is not welcome"),
        (RawAnswer(body="<p>Maintenance</p>"), ExitCode.UNREACHABLE, "Maintenance"),
        (None, ExitCode.UNREACHABLE, "no GetJobStatusResult"),
    ],
    ids=repr,
)
def test_status_tells_how_a_job_stands(
    service: Service, step: str | JobRecord | Fault | RawAnswer | None, code: int, shown: str
) -> None:
    job_id = service.fake.add_job(step)
    result = service.dasp("status", job_id)
    assert (result.exit_code, shown in result.output) == (code, True)
    assert len(service.fake.calls) == 1


def test_status_can_be_read_by_programs(service: Service) -> None:
    job_id = service.fake.add_job("Completed")
    result = service.dasp("status", job_id, "--json")
    told = json.loads(result.stdout)
    assert told["completed_date_time"].startswith("20")
    assert {name: told[name] for name in ("job_id", "state", "status", "error")} == {
        "job_id": str(job_id),
        "state": "done",
        "status": "Completed",
        "error": None,
    }


def test_an_error_can_be_read_by_programs_too(service: Service) -> None:
    result = service.dasp("status", JOB, "--json")
    told = json.loads(result.stdout)
    assert (told["error"], told["status"], result.exit_code) == ("SoapFault", None, 4)
    assert "Job not found." in told["error_text"]


def test_requests_are_in_the_chosen_version(service: Service) -> None:
    job_id = service.fake.add_job("Completed")
    service.dasp("status", job_id, "--soap", "1.2")
    service.dasp("status", job_id, DASP_SOAP_VERSION="1.2")
    service.dasp("status", job_id)
    assert [call.version.value for call in service.fake.calls] == ["1.2", "1.2", "1.1"]


def test_nobody_there_is_an_exit_code_of_its_own(service: Service) -> None:
    for words in (["status", JOB], ["wait", JOB, "--timeout", "0.5"]):
        result = service.dasp(*words, "--endpoint", "http://127.0.0.1:1/")
        assert (result.exit_code, "Connection refused" in result.output) == (5, True)


# --- wait -------------------------------------------------------------------------------------


def test_wait_follows_jobs_to_their_ends_in_plain_lines(service: Service) -> None:
    done = service.fake.add_job("Completed")
    failed = service.fake.add_job(JobRecord(status="Failed", error_message="disk full"))
    result = service.dasp("wait", done, failed, done)
    assert result.exit_code == ExitCode.FAILED
    assert f"done:  {done}  Completed" in result.stdout.splitlines()
    assert f"failed:  {failed}  Failed  disk full" in result.stdout.splitlines()
    assert len(service.fake.calls) == 2


def test_wait_ends_when_its_time_is_up(service: Service) -> None:
    job_id = service.fake.add_job("Running")
    result = service.dasp("wait", job_id, "--timeout", "0.3")
    assert result.exit_code == ExitCode.NOT_OVER
    assert f"not over:  {job_id}  Running  the time is up; wait again to go on" in result.stdout


def test_wait_without_a_time_limit(service: Service) -> None:
    job_id = service.fake.add_job("Completed")
    assert service.dasp("wait", job_id, "--timeout", "0").exit_code == ExitCode.DONE


def test_wait_tells_programs_one_line_a_job(service: Service) -> None:
    jobs = [service.fake.add_job("Completed"), service.fake.add_job("Failed"), JOB]
    result = service.dasp("wait", *jobs[:2], UUID(int=7), "--json")
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["state"] for line in told] == ["done", "failed", None]
    assert [line["error"] for line in told] == [None, None, "SoapFault"]
    assert result.exit_code == ExitCode.REFUSED


@pytest.fixture
def _ctrl_c_is_heard() -> Iterator[None]:
    """Undo what a shell does to its background jobs: their children would ignore Ctrl-C too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_ctrl_c_is_heard")
def test_ctrl_c_leaves_a_clean_line(service: Service) -> None:
    job_id = service.fake.add_job("Running")
    with subprocess.Popen(  # noqa: S603 - our own interpreter and program
        [*DASP, "wait", str(job_id)],
        env=service.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert "Running" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=30)
    assert process.returncode == ExitCode.INTERRUPTED
    assert error == "dasp: interrupted; the jobs run on, and can be waited for again\n"


def test_an_interruption_is_an_exit_code(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(anyio, "run", interrupted)
    assert service.dasp("wait", JOB).exit_code == ExitCode.INTERRUPTED


@pytest.mark.parametrize(
    ("words", "output", "error"),
    [
        (["wait", JOB], "a pipe that nobody reads", ""),
        (["wait", JOB, "--json"], "a pipe that nobody reads", ""),
        (["status", JOB], "a pipe that nobody reads", ""),
        (["wait", JOB], "/dev/full", "dasp: can't write: [Errno 28] No space left on device\n"),
    ],
)
def test_output_that_cannot_be_written_is_an_exit_code(
    service: Service, words: list[object], output: str, error: str
) -> None:
    service.fake.add_job("Completed", job_id=JOB)
    if output == "/dev/full":
        target = os.open(output, os.O_WRONLY)
    else:
        reading, target = os.pipe()
        os.close(reading)
    run = subprocess.run(  # noqa: S603 - our own interpreter and program
        [*DASP, *map(str, words)],
        env=service.environment,
        stdout=target,
        stderr=subprocess.PIPE,
        text=True,
        timeout=30,
        check=False,
    )
    os.close(target)
    assert (run.returncode, run.stderr) == (ExitCode.NO_OUTPUT, error)


@pytest.mark.parametrize("kind", [BrokenPipeError, PermissionError])
def test_output_that_fails_is_an_exit_code(
    service: Service, monkeypatch: pytest.MonkeyPatch, kind: type[OSError]
) -> None:
    def failing(*_: object) -> None:
        raise ExceptionGroup("tasks", [kind("no")])

    monkeypatch.setattr(anyio, "run", failing)
    redirected: list[int] = []

    def dup2(_: int, redirect: int) -> None:
        redirected.append(redirect)

    monkeypatch.setattr(os, "dup2", dup2)
    assert service.dasp("wait", JOB).exit_code == ExitCode.NO_OUTPUT
    assert redirected == [1]


def test_what_nobody_foresaw_is_one_line_without_the_key(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "a-key-of-its-own"

    def failing(*_: object) -> None:
        raise ExceptionGroup("tasks", [LookupError(f"ours\n{key}")])

    monkeypatch.setattr(anyio, "run", failing)
    result = service.dasp("wait", JOB, DASP_API_KEY=key)
    assert (result.exit_code, result.stderr) == (70, "dasp: LookupError: ours ***\n")


def ended(monkeypatch: pytest.MonkeyPatch, *words: str) -> object:
    """The exit code of the command, run to its very end."""
    monkeypatch.setattr(sys, "argv", ["dasp", *words])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code


def test_what_nobody_foresaw_is_no_failed_job_anywhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise LookupError("ours")

    monkeypatch.setattr(FakeCustomerApi, "__init__", failing)
    assert ended(monkeypatch, "demo") == ExitCode.INTERNAL
    assert capsys.readouterr().err == "dasp: LookupError: ours\n"


def test_where_nothing_can_be_said_the_exit_code_is(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stderr", Full())
    assert ended_by(LookupError("ours")) is ExitCode.INTERNAL


@pytest.mark.parametrize("words", ["--help", "--version"])
def test_nobody_who_reads_is_no_failed_job_anywhere(
    monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    class Closed(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")

        def fileno(self) -> int:
            return 1

    def dup2(*_: object) -> None:
        pass

    monkeypatch.setattr(os, "dup2", dup2)
    monkeypatch.setattr(sys, "stdout", Closed())
    assert ended(monkeypatch, words) == ExitCode.NO_OUTPUT


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["wait", JOB], r"\u0413\u043e\u0442\u043e\u0432\u043e"),
        (["status", JOB], r"\u0413\u043e\u0442\u043e\u0432\u043e"),
        (["--help"], "Usage: dasp"),
        (["wait", "--timeout"], "Error"),
    ],
    ids=repr,
)
def test_letters_that_the_terminal_lacks_are_no_failure(
    service: Service, words: list[object], shown: str, encoding: str
) -> None:
    service.fake.add_job("Готово", "Completed", job_id=JOB)
    run = subprocess.run(  # noqa: S603 - our own interpreter and program
        [*DASP, *map(str, words)],
        env={**service.environment, "PYTHONIOENCODING": encoding},
        capture_output=True,
        timeout=30,
        check=False,
    )
    told = (run.stdout + run.stderr).decode("utf-8")
    assert "Traceback" not in told
    assert run.returncode in {ExitCode.DONE, ExitCode.USAGE, ExitCode.NOT_OVER}
    assert shown in told.replace("Готово", shown)


# --- the key and other settings ---------------------------------------------------------------


def test_the_key_can_be_in_a_file(service: Service, tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(f"{KEY}\n", "utf-8")
    job_id = service.fake.add_job("Completed")
    result = service.dasp("status", job_id, "--key-file", key_file, DASP_API_KEY="wrong")
    assert result.exit_code == ExitCode.DONE


def test_a_key_file_holds_the_key_and_nothing_else(service: Service, tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(f"key = {KEY}\nother = 1\n", "utf-8")
    result = service.dasp("status", JOB, "--key-file", key_file)
    assert (result.exit_code, KEY in result.output) == (ExitCode.USAGE, False)
    assert service.fake.calls == ()


def test_the_mark_of_an_editor_is_no_part_of_the_key(service: Service, tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(f"{KEY}\r\n", "utf-8-sig")
    job_id = service.fake.add_job("Completed")
    assert service.dasp("status", job_id, "--key-file", key_file).exit_code == ExitCode.DONE


def test_a_key_file_that_is_no_text_is_named(service: Service, tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(KEY, "utf-16")
    result = service.dasp("status", JOB, "--key-file", key_file)
    assert result.exit_code == ExitCode.USAGE
    assert result.stderr == f"dasp: the key file {key_file} is not text in UTF-8\n"
    assert service.fake.calls == ()


def test_a_port_in_use_is_a_usage_error(service: Service) -> None:
    port = service.endpoint.split(":")[2].partition("/")[0]
    result = service.dasp("serve", "--port", port)
    assert result.exit_code == ExitCode.USAGE
    assert f"dasp: can't listen on port {port}" in result.stderr


def test_the_version_can_be_asked_for() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"dasp {__version__}\n"


@pytest.mark.parametrize(
    ("words", "environment", "problem"),
    [
        (["status", JOB], {"DASP_API_KEY": ""}, "no key: set DASP_API_KEY"),
        (["status", JOB, "--endpoint", "http://example.com/"], {}, "endpoint must be https"),
        (["status", JOB, "--key-file", "/no/such/file"], {}, "does not exist"),
        (["status", JOB, "--soap", "1.3"], {}, "1.3"),
        (["status", "not-a-guid"], {}, "JOB_ID"),
        (["status", UUID(int=0)], {}, "nil UUID"),
        (["wait"], {}, "Missing argument"),
        (["wait", JOB, "--timeout", "-1"], {}, "--timeout"),
        (["wait", JOB, "--timeout", "inf"], {}, "--timeout"),
        (["wait", JOB, "--timeout", "nan"], {}, "--timeout"),
        (["nonsense"], {}, "nonsense"),
        (["serve", "--port", "99999"], {}, "--port"),
    ],
)
def test_a_wrong_command_line_sends_nothing(
    service: Service, words: list[object], environment: dict[str, str], problem: str
) -> None:
    result = service.dasp(*words, **environment)
    assert result.exit_code == ExitCode.USAGE
    assert problem in result.stderr
    assert service.fake.calls == ()


@pytest.mark.parametrize(
    "words",
    [[], *([name] for name in ("status", "wait", "operations", "call", "doctor", "demo", "serve"))],
    ids=str,
)
def test_help_is_there_for_every_command(words: list[str]) -> None:
    result = CliRunner().invoke(app, [*words, "--help"])
    assert (result.exit_code, "Usage: dasp" in result.output) == (0, True)


def test_without_its_extra_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith("dasp_async.cli")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "typer", None)
    assert ended(monkeypatch) == ExitCode.USAGE
    assert capsys.readouterr().err == "dasp needs typer: pip install 'dasp_async[cli]'\n"


# --- demo and serve ---------------------------------------------------------------------------


def test_the_demo_waits_for_jobs_over_both_versions() -> None:
    result = CliRunner().invoke(app, ["demo"])
    assert result.exit_code == ExitCode.DONE
    ends = [line.split("  ")[2:] for line in result.stdout.splitlines() if line[0] in "df"]
    assert ends == [
        ["SOAP 1.1", "Completed"],
        ["SOAP 1.1", "Failed", "Login failed for user 'demo'."],
        ["SOAP 1.2", "Completed"],
        ["SOAP 1.2", "Failed", "Login failed for user 'demo'."],
    ]


@pytest.mark.usefixtures("_ctrl_c_is_heard")
def test_a_refused_key_is_remembered_in_a_file(service: Service, tmp_path: Path) -> None:
    job_id = service.fake.add_job("Running")
    words = ["status", job_id, "--calls-file", tmp_path / "calls.sqlite"]
    first, *later = (service.dasp(*words, DASP_API_KEY="a-wrong-key") for _ in range(5))
    assert {each.exit_code for each in (first, *later)} == {ExitCode.REFUSED}
    assert all("not sent" in each.output for each in later)
    assert len(service.fake.calls) == 1
    calls = str(tmp_path / "calls.sqlite")
    assert service.dasp("status", job_id, DASP_CALLS_FILE=calls).exit_code == ExitCode.NOT_OVER


def test_the_fake_can_be_served_for_others() -> None:
    with subprocess.Popen(  # noqa: S603 - our own interpreter and program
        [*DASP, "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        printed = [process.stdout.readline().split() for _ in range(4)]
        settings = dict(words[1].split("=", 1) for words in printed[:2])
        running = CliRunner().invoke(app, ["status", printed[3][2]], env=settings)
        process.send_signal(signal.SIGINT)
        _, log = process.communicate(timeout=30)
    assert process.returncode == ExitCode.INTERRUPTED
    assert "Traceback" not in log
    assert (running.exit_code, "Running" in running.stdout) == (ExitCode.NOT_OVER, True)


def test_what_is_served_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_: uvicorn.Server, sockets: list[socket.socket]) -> None:
        assert len(sockets) == 1

    monkeypatch.setattr(uvicorn.Server, "run", run)
    result = CliRunner().invoke(app, ["serve", "--port", "0"])
    assert [line.partition(" ")[0] for line in result.stdout.splitlines()] == [
        *("export", "export"),
        *("#", "dasp"),
        *("#", "dasp"),
    ]


def test_the_package_can_be_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["dasp", "--help"])
    monkeypatch.delitem(sys.modules, "dasp_async.__main__", raising=False)
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("dasp_async", run_name="__main__")
    assert caught.value.code == 0
    assert "Usage: dasp" in capsys.readouterr().out


# --- what is shown ----------------------------------------------------------------------------


def on_a_terminal(*rows: Row) -> str:
    """What a terminal of 100 columns shows in the end."""
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    with Display(console, rows) as display:
        for row in rows:
            if row.status is not None:
                display.changed(row, row.status)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_terminal_shows_a_table() -> None:
    running = Row(JOB, status=JobStatus(job_id=JOB, status="Running"))
    failed = JobStatus(job_id=JOB, status="Failed", error_message="full", state=JobState.FAILED)
    shown = on_a_terminal(running, Row(JOB, note="SOAP 1.2", status=failed), Row(JOB))
    lines = [[cell.strip() for cell in line.split("│")] for line in shown.splitlines()]
    rows = [cells[1:-1] for cells in lines if str(JOB) in cells][-3:]
    assert rows[0][0] == str(JOB)
    assert rows[0][2].endswith("Running")
    assert rows[1][1:] == ["SOAP 1.2", "Failed: full", "1"]
    assert rows[2][2].endswith("asking")


def test_long_remarks_stand_below_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    shown = on_a_terminal(Row(JOB, error=AttemptTimeout("x" * 300)))
    assert shown.splitlines()[-1].endswith(f"no answer:  {JOB}  {'x' * 300}")
    assert capsys.readouterr().out == ""


def test_a_table_of_jobs_of_one_version_does_not_name_it() -> None:
    assert "SOAP" not in on_a_terminal(Row(JOB, error=AttemptTimeout("too slow")))


def test_what_the_service_says_cannot_move_the_cursor() -> None:
    assert printable("a\x1b[2J\nb\u202ec\x07") == "a\ufffd[2J b\ufffdc\ufffd"


def test_a_display_that_is_broken_off_says_no_more() -> None:
    console = Console(file=io.StringIO())
    with pytest.raises(KeyboardInterrupt), Display(console, [Row(JOB)]):
        raise KeyboardInterrupt
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == ""


def test_a_call_that_was_refused_here_counts_as_refused() -> None:
    assert exit_code(CallRefused("enough")) is ExitCode.REFUSED

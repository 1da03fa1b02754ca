"""The commands and their options."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated
from uuid import UUID

import anyio
import typer
from rich.console import Console

from dasp_async import __version__, xsd
from dasp_async.cli import fake as fake_service
from dasp_async.cli.display import Display, Row, as_json
from dasp_async.cli.ending import ended_by, hide
from dasp_async.cli.exits import MEANINGS, ExitCode
from dasp_async.client import CustomerApi
from dasp_async.clock import limit
from dasp_async.errors import DaspError, JobFailed
from dasp_async.operations import ENDPOINT
from dasp_async.polling import Schedule
from dasp_async.secret import Secret
from dasp_async.soap import SoapVersion
from dasp_async.testing import FakeCustomerApi

_FAKE_KEY = "test-key"

_EPILOG = "Exit codes:\n\n" + "\n".join(
    f"* {code.value}: {meaning}" for code, meaning in MEANINGS.items()
)
_KEY_NOTE = (
    "The API key comes from the environment variable `DASP_API_KEY` or from `--key-file`, never "
    "from an argument, which any user of the machine could read."
)

app = typer.Typer(
    name="dasp",
    help=f"DiscountASP.NET's CustomerApi: look at jobs and wait for them. {_KEY_NOTE}",
    epilog=_EPILOG,
    no_args_is_help=True,
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode="markdown",
    # They would show local variables, the key among them.
    pretty_exceptions_enable=False,
)


@app.callback()
def about(
    *,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Options of the command itself."""
    if version:
        typer.echo(f"dasp {__version__}")
        raise typer.Exit


def _job_id(text: str) -> UUID:
    try:
        return xsd.read_guid(text)
    except ValueError as problem:
        raise typer.BadParameter(f"{problem}") from None


def _seconds(number: float) -> float:
    try:
        limit("it", number or None)
    except ValueError as problem:
        raise typer.BadParameter(f"{problem}") from None
    return number


JobId = Annotated[
    UUID, typer.Argument(parser=_job_id, metavar="JOB_ID", help="The job's id, a GUID.")
]
JobIds = Annotated[
    list[UUID], typer.Argument(parser=_job_id, metavar="JOB_ID", help="The jobs' ids, GUIDs.")
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key-file",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="A file with the API key and nothing else, instead of DASP_API_KEY.",
    ),
]
Endpoint = Annotated[
    str,
    typer.Option(
        "--endpoint",
        metavar="URL",
        envvar="DASP_ENDPOINT",
        help="The service's address; http only on this machine.",
    ),
]
Soap = Annotated[
    SoapVersion,
    typer.Option("--soap", envvar="DASP_SOAP_VERSION", help="The SOAP version of requests."),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="One line of JSON for each job, on standard output.")
]


@app.command(epilog=_EPILOG)
def status(
    job_id: JobId,
    *,
    key_file: KeyFile = None,
    endpoint: Endpoint = ENDPOINT,
    soap: Soap = SoapVersion.SOAP_1_1,
    json: AsJson = False,
) -> None:
    """Look at a job once, and show how it stands."""
    client = _client(key_file, endpoint, soap)

    async def look() -> ExitCode:
        row = Row(job_id)
        async with client as api:
            try:
                row.status = await api.get_job_status(job_id)
            except DaspError as error:
                row.error = error
        if json:
            typer.echo(as_json(row))
        elif row.error is not None:
            typer.echo(f"dasp: {row.remark()}", err=True)
        else:
            typer.echo("  ".join(part for part in (str(job_id), row.word(), row.remark()) if part))
        return row.exit_code

    raise typer.Exit(_run(look))


@app.command(epilog=_EPILOG)
def wait(
    job_ids: JobIds,
    *,
    timeout: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            callback=_seconds,
            help="How long to wait; 0 for without end.",
            min=0,
        ),
    ] = 3600,
    key_file: KeyFile = None,
    endpoint: Endpoint = ENDPOINT,
    soap: Soap = SoapVersion.SOAP_1_1,
    json: AsJson = False,
) -> None:
    """Wait until every job is over; the jobs are looked at side by side.

    Stopping does no harm: the jobs run on, and waiting again takes up where it was left.
    """
    client = _client(key_file, endpoint, soap)

    async def wait_for_all() -> ExitCode:
        rows = [Row(job_id) for job_id in dict.fromkeys(job_ids)]
        async with client as api:
            await _follow(rows, [api] * len(rows), Console(quiet=json), timeout=timeout or None)
        for row in rows:
            if json:
                typer.echo(as_json(row))
        return max(row.exit_code for row in rows)

    raise typer.Exit(_run(wait_for_all))


@app.command()
def demo() -> None:
    """See it work: a fake service on a real socket of this machine, and backups to wait for.

    Needs no key and no network. Two backups are started in each SOAP version; one ends well, one
    in failure.
    """
    fake = FakeCustomerApi(_FAKE_KEY)

    async def start_and_wait(address: str) -> ExitCode:
        rows: list[Row] = []
        waiting: list[CustomerApi] = []
        pauses = Schedule(initial=0.5, maximum=1.0)
        async with AsyncExitStack() as stack:
            clients = {
                version: await stack.enter_async_context(
                    CustomerApi(_FAKE_KEY, endpoint=address, version=version, schedule=pauses)
                )
                for version in SoapVersion
            }
            for version, api in clients.items():
                for duration, message in ((3.0, None), (4.0, "Login failed for user 'demo'.")):
                    fake.script_started_jobs(duration=duration, error_message=message)
                    job_id = await api.start_job("Sql2012CreateBackup", {"databaseName": "demo"})
                    rows.append(Row(job_id, note=f"SOAP {version.value}"))
                    waiting.append(api)
            typer.echo(f"{len(rows)} backups were started; now they are waited for:")
            await _follow(rows, waiting, Console(), timeout=60)
        typer.echo(f"{len(fake.calls)} calls in all; two of the backups were made to fail.")
        return ExitCode.DONE

    with fake_service.serving(fake) as address:
        typer.echo(f"A fake CustomerApi answers at {address}")
        raise typer.Exit(_run(start_and_wait, address))


@app.command()
def serve(
    port: Annotated[
        int, typer.Option(help="The port on 127.0.0.1; 0 for a free one.", min=0, max=65535)
    ] = 8080,
) -> None:
    """Serve the fake service on this machine, for tests in any language.

    It prints what to set for this command to use it, and the ids of two jobs to wait for.
    """
    fake = FakeCustomerApi(_FAKE_KEY)
    done = fake.add_job(duration=60)
    failing = fake.add_job(duration=90, error_message="Login failed for user 'demo'.")
    try:
        listening = fake_service.listener(port)
    except OSError as error:
        raise _usage_error(f"can't listen on port {port}: {error}; --port 0 finds one") from None
    with listening:
        typer.echo(f"export DASP_API_KEY={_FAKE_KEY}")
        typer.echo(f"export DASP_ENDPOINT={fake_service.endpoint(listening)}")
        typer.echo(f"dasp wait {done} {failing}")
        fake_service.server(fake, log_level="info").run(sockets=[listening])


async def _follow(
    rows: Sequence[Row],
    clients: Sequence[CustomerApi],
    console: Console,
    *,
    timeout: float | None,
) -> None:
    """Wait for each row's job through the client beside it, and show how they stand."""
    with Display(console, rows) as display:

        async def follow(row: Row, api: CustomerApi) -> None:
            try:
                await api.poll_until_done(
                    row.job_id,
                    timeout=timeout,
                    on_status=lambda status: display.changed(row, status),
                )
            except JobFailed:
                pass  # the row has its status
            except DaspError as error:
                row.error = error

        async with anyio.create_task_group() as group:
            for row, api in zip(rows, clients, strict=True):
                group.start_soon(follow, row, api)


def _client(key_file: Path | None, endpoint: str, soap: SoapVersion) -> CustomerApi:
    """A client with the user's key; what is wrong with its settings is a usage error."""
    if key_file is None and not os.environ.get("DASP_API_KEY"):
        raise _usage_error("no key: set DASP_API_KEY, or name a file with --key-file")
    try:
        key = Secret(os.environ["DASP_API_KEY"] if key_file is None else _only_line(key_file))
        hide(key)
        return CustomerApi(key.reveal(), endpoint=endpoint, version=soap)
    except (ValueError, OSError) as problem:
        raise _usage_error(str(problem)) from None


def _only_line(key_file: Path) -> str:
    """The key in a file; raises `ValueError` if the file holds more than that, or no text."""
    try:
        text = Secret(key_file.read_text("utf-8-sig").strip())  # Notepad begins with a mark
    except UnicodeDecodeError:
        raise ValueError(f"the key file {key_file} is not text in UTF-8") from None
    if len(text.reveal().splitlines()) > 1:
        raise ValueError("the key file must hold the key and nothing else")
    return text.reveal()


def _usage_error(problem: str) -> typer.Exit:
    typer.echo(f"dasp: {problem}", err=True)
    return typer.Exit(ExitCode.USAGE)


def _run(main: Callable[..., Awaitable[ExitCode]], *arguments: object) -> ExitCode:
    """Run to the end, until Ctrl-C, or until nobody listens."""
    try:
        return anyio.run(main, *arguments)
    except KeyboardInterrupt:
        typer.echo("dasp: interrupted; the jobs run on, and can be waited for again", err=True)
        return ExitCode.INTERRUPTED
    except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - each has its exit code
        return ended_by(error)

"""Commands that need no service: a demonstration, and the fake service for any language."""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from typing import Annotated

import typer
from rich.console import Console

from dasp_async.cli import fake as fake_service
from dasp_async.cli.display import Row
from dasp_async.cli.ending import run
from dasp_async.cli.exits import ExitCode
from dasp_async.cli.jobs import follow_all
from dasp_async.cli.options import usage_error
from dasp_async.client import CustomerApi
from dasp_async.polling import Schedule
from dasp_async.soap import SoapVersion
from dasp_async.testing import FakeCustomerApi

_FAKE_KEY = "test-key"


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
            typer.echo(
                f"{len(rows)} backups were started, of 3 and 4 s, and are looked at each second:"
            )
            await follow_all(rows, waiting, Console(), timeout=60)
        typer.echo(f"{len(fake.calls)} calls in all; two of the backups were made to fail.")
        return ExitCode.DONE

    with fake_service.serving(fake) as address:
        typer.echo(f"A fake CustomerApi answers at {address}")
        raise typer.Exit(run(partial(start_and_wait, address)))


def serve(
    port: Annotated[
        int, typer.Option(help="The port on 127.0.0.1; 0 for a free one.", min=0, max=65535)
    ] = 8080,
) -> None:
    """Serve the fake service on this machine, for tests in any language.

    It prints what to set for this command to use it, two jobs to wait for, and how to start more.
    """
    fake = FakeCustomerApi(_FAKE_KEY)
    done = fake.add_job(duration=60)
    failing = fake.add_job(duration=90, error_message="Login failed for user 'demo'.")
    try:
        listening = fake_service.listener(port)
    except OSError as error:
        raise usage_error(f"can't listen on port {port}: {error}; --port 0 finds one") from None
    with listening:
        typer.echo(f"export DASP_API_KEY={_FAKE_KEY}")
        typer.echo(f"export DASP_ENDPOINT={fake_service.endpoint(listening)}")
        typer.echo("# A job that is done after 60 s, and one that fails after 90 s:")
        typer.echo(f"dasp wait {done} {failing}")
        typer.echo("# One more, which takes three looks, and prints its id:")
        typer.echo("dasp call Sql2012CreateBackup databaseName=shop --yes")
        fake_service.server(fake, log_level="info").run(sockets=[listening])
    # Only a signal ends it, which uvicorn does not always pass on.
    raise typer.Exit(ExitCode.INTERRUPTED)

"""Commands that look at jobs and wait for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import anyio
import typer
from rich.console import Console

from dasp_async.cli.display import Display, Row, as_json
from dasp_async.cli.ending import run
from dasp_async.cli.exits import ExitCode
from dasp_async.cli.options import (
    AsJson,
    CallsFile,
    Endpoint,
    JobId,
    JobIds,
    KeyFile,
    Soap,
    client,
    seconds,
)
from dasp_async.client import CustomerApi
from dasp_async.errors import DaspError, JobFailed
from dasp_async.operations import ENDPOINT
from dasp_async.soap import SoapVersion


def status(
    job_id: JobId,
    *,
    key_file: KeyFile = None,
    endpoint: Endpoint = ENDPOINT,
    soap: Soap = SoapVersion.SOAP_1_1,
    calls_file: CallsFile = None,
    json: AsJson = False,
) -> None:
    """Look at a job once, and show how it stands."""
    opened = client(key_file, endpoint, soap, calls_file)

    async def look() -> ExitCode:
        row = Row(job_id)
        async with opened as api:
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

    raise typer.Exit(run(look))


def wait(
    job_ids: JobIds,
    *,
    timeout: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            callback=seconds,
            help="How long to wait; 0 for without end.",
            min=0,
        ),
    ] = 3600,
    key_file: KeyFile = None,
    endpoint: Endpoint = ENDPOINT,
    soap: Soap = SoapVersion.SOAP_1_1,
    calls_file: CallsFile = None,
    json: AsJson = False,
) -> None:
    """Wait until every job is over; the jobs are looked at side by side.

    Stopping does no harm: the jobs run on, and waiting again takes up where it was left.
    """
    opened = client(key_file, endpoint, soap, calls_file)

    async def wait_for_all() -> ExitCode:
        rows = [Row(job_id) for job_id in dict.fromkeys(job_ids)]
        async with opened as api:
            await follow_all(rows, [api] * len(rows), Console(quiet=json), timeout=timeout or None)
        for row in rows:
            if json:
                typer.echo(as_json(row))
        return max(row.exit_code for row in rows)

    raise typer.Exit(
        run(wait_for_all, interrupted="; the jobs run on, and can be waited for again")
    )


async def follow_all(
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

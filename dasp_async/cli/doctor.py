"""The command that finds out why the service can't be reached, or whether it has changed."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from dasp_async.cli.checkup import Check, Verdict, checks
from dasp_async.cli.display import printable
from dasp_async.cli.ending import run
from dasp_async.cli.exits import ExitCode
from dasp_async.cli.options import CallsFile, Endpoint, KeyFile, Soap, client, describer
from dasp_async.operations import ENDPOINT
from dasp_async.soap import SoapVersion

_COLOURS: Final = {
    Verdict.GOOD: typer.colors.GREEN,
    Verdict.NEW: typer.colors.CYAN,
    Verdict.SKIPPED: typer.colors.YELLOW,
    Verdict.BAD: typer.colors.RED,
}


def doctor(
    *,
    with_key: Annotated[
        bool,
        typer.Option(
            "--with-key",
            help="Make one call with the key, which counts; a refused one is a failed log-in.",
        ),
    ] = False,
    key_file: KeyFile = None,
    endpoint: Endpoint = ENDPOINT,
    soap: Soap = SoapVersion.SOAP_1_1,
    calls_file: CallsFile = None,
) -> None:
    """Check the way to the service, step by step, and whether the service is as it was.

    DNS, TCP, TLS, the endpoint, its description against what this package knows of the service,
    the key if asked to, and the clock. Ends with 1 if anything is wrong.
    """
    opened = client(key_file, endpoint, soap, calls_file) if with_key else describer(endpoint)

    async def checked() -> ExitCode:
        verdicts: set[Verdict] = set()
        async with opened as api:
            async for check in checks(api, endpoint, with_key=with_key):
                verdicts.add(check.verdict)
                _show(check)
        return ExitCode.FAILED if Verdict.BAD in verdicts else ExitCode.DONE

    raise typer.Exit(run(checked))


def _show(check: Check) -> None:
    verdict = typer.style(f"{check.verdict.value:7}", fg=_COLOURS[check.verdict])
    typer.echo(f"{verdict}  {check.name}: {printable(check.finding)}")
    if check.advice:
        typer.echo(f"         {check.advice}")

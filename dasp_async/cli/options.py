"""The options that commands share, and the client that they make."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from dasp_async import arguments, xsd
from dasp_async.budget.sqlite import SqliteBudget
from dasp_async.cli.display import printable
from dasp_async.cli.ending import hide
from dasp_async.cli.exits import ExitCode
from dasp_async.client import CustomerApi
from dasp_async.secret import Secret
from dasp_async.soap import SoapVersion


def _job_id(text: str) -> UUID:
    try:
        return xsd.read_job_id(text)
    except ValueError as problem:
        raise typer.BadParameter(f"{problem}") from None


def seconds(number: float) -> float:
    """A time limit; 0 is for none."""
    try:
        arguments.limit("it", number or None)
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
CallsFile = Annotated[
    Path | None,
    typer.Option(
        "--calls-file",
        metavar="FILE",
        envvar="DASP_CALLS_FILE",
        dir_okay=False,
        help="Count calls and refused keys in this file, from run to run; else in each run anew.",
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="One line of JSON for each job, on standard output.")
]


def client(
    key_file: Path | None, endpoint: str, soap: SoapVersion, calls_file: Path | None
) -> CustomerApi:
    """A client with the user's key; what is wrong with its settings is a usage error."""
    if key_file is None and not os.environ.get("DASP_API_KEY"):
        raise usage_error("no key: set DASP_API_KEY, or name a file with --key-file")
    try:
        key = Secret(os.environ["DASP_API_KEY"] if key_file is None else _only_line(key_file))
        hide(key)
        budget = ... if calls_file is None else SqliteBudget(calls_file)
        return CustomerApi(key.reveal(), endpoint=endpoint, version=soap, budget=budget)
    except (ValueError, OSError) as problem:
        raise usage_error(str(problem)) from None


def _only_line(key_file: Path) -> str:
    """The key in a file; raises `ValueError` if the file holds more than that, or no text."""
    try:
        text = Secret(key_file.read_text("utf-8-sig").strip())  # Notepad begins with a mark
    except UnicodeDecodeError:
        raise ValueError(f"the key file {key_file} is not text in UTF-8") from None
    if len(text.reveal().splitlines()) > 1:
        raise ValueError("the key file must hold the key and nothing else")
    return text.reveal()


def describer(endpoint: str) -> CustomerApi:
    """A client for the service's description alone, which is to be had without a key."""
    try:
        return CustomerApi("no key", endpoint=endpoint, attempts=1)
    except ValueError as problem:
        raise usage_error(str(problem)) from None


def usage_error(problem: str) -> typer.Exit:
    """Say what is wrong with the command line; the exception ends the command."""
    return typer.Exit(refused(problem))


def refused(problem: str) -> ExitCode:
    """Say what is wrong with the command line; the code to end with."""
    typer.echo(f"dasp: {printable(problem)}", err=True)
    return ExitCode.USAGE

"""The `dasp` command: its commands together."""

from __future__ import annotations

from typing import Annotated

import typer

from dasp_async import __version__
from dasp_async.cli.demo import demo, serve
from dasp_async.cli.doctor import doctor
from dasp_async.cli.exits import MEANINGS
from dasp_async.cli.jobs import status, wait
from dasp_async.cli.service import call, operations

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


for command in (status, wait, operations, call, doctor):
    app.command(epilog=_EPILOG)(command)
app.command()(demo)
app.command()(serve)

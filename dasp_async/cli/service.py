"""Commands for the whole service: the operations it describes, and a call of any of them."""

from __future__ import annotations

import contextlib
import json as json_text
import math
import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from dasp_async.adhoc import callable_operation, operation_of
from dasp_async.cli.display import printable
from dasp_async.cli.ending import run
from dasp_async.cli.exits import ExitCode, exit_code
from dasp_async.cli.options import (
    CallsFile,
    Endpoint,
    KeyFile,
    Soap,
    client,
    describer,
    refused,
    usage_error,
)
from dasp_async.cli.values import Word, parameters_of, word
from dasp_async.elements import Plain, to_python
from dasp_async.envelope import render
from dasp_async.errors import DaspError, TransportError
from dasp_async.operations import ENDPOINT, OPERATIONS, Anything, Operation
from dasp_async.secret import MASKED, Concealed, Secret
from dasp_async.soap import SoapVersion
from dasp_async.xsd import STRING, Element, content_of

if TYPE_CHECKING:
    from typing import Any

    from lxml.etree import _Element

    from dasp_async.client import CustomerApi
    from dasp_async.wsdl import OperationDescription, ServiceDescription

_READS: Final = {operation.name for operation in OPERATIONS if not operation.writes}


def operations(
    *,
    endpoint: Endpoint = ENDPOINT,
    json: Annotated[
        bool, typer.Option("--json", help="One line of JSON for each operation.")
    ] = False,
) -> None:
    """List the operations that the service describes, with their parameters and types.

    Needs no key, and counts as no call.
    """
    opened = describer(endpoint)

    async def listed() -> ExitCode:
        async with opened as api:
            try:
                description = await api.describe()
            except DaspError as error:
                return _failed(error)
        for each in description.operations.values():
            typer.echo(_as_json(each) if json else _as_text(each))
        return ExitCode.DONE

    raise typer.Exit(run(listed))


def call(
    operation: Annotated[
        str, typer.Argument(metavar="OPERATION", help="Its name, as `dasp operations` has it.")
    ],
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME=VALUE]...",
            help="The parameters but for the key, in any order. `name:=JSON` gives a value as "
            "JSON (`null` leaves the parameter out), `name=@FILE` a file's text, `name:=@FILE` a "
            "file's JSON. An array's items are given one by one, or as JSON.",
        ),
    ] = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the request, secrets masked; send nothing.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask before an operation that may write.")
    ] = False,
    reads: Annotated[
        bool,
        typer.Option(
            "--reads", help="The operation only reads: do not ask, and try again if need be."
        ),
    ] = False,
    key_file: KeyFile = None,
    endpoint: Endpoint = ENDPOINT,
    soap: Soap = SoapVersion.SOAP_1_1,
    calls_file: CallsFile = None,
) -> None:
    """Call any operation that the service describes, and show its answer as JSON.

    The names, the types and that nothing is missing are checked by the service's description.
    """
    given = _words(words or ())
    describing = describer(endpoint)
    opened = None if dry_run else client(key_file, endpoint, soap, calls_file)
    plans: list[_Plan] = []

    async def planned() -> ExitCode:
        async with describing as api:
            try:
                plans.append(_planned(await api.describe(), operation, given, soap))
            except ValueError as problem:
                return refused(str(problem))
            except DaspError as error:
                return _failed(error)
        return ExitCode.DONE

    async def called(plan: _Plan, api: CustomerApi) -> ExitCode:
        async with api:
            try:
                answer = await api.call(
                    operation,
                    plan.values,
                    writes=operation not in _READS and not reads,
                    description=plan.description,
                )
            except DaspError as error:
                return _failed(error)
        return _show(answer, plan.description.operation(operation))

    def sent(code: ExitCode) -> ExitCode:
        if code is not ExitCode.DONE:
            return code
        (plan,) = plans
        preview = f"POST {endpoint}\n{plan.preview}"
        if opened is None:
            typer.echo(preview)
            return code
        # Outside of the event loop, which Ctrl-C would not get through.
        if not (yes or reads or operation in _READS or _agreed(preview)):
            return ExitCode.INTERRUPTED
        left_undone = "; what was sent may be done all the same"
        return run(partial(called, plan, opened), interrupted=left_undone)

    raise typer.Exit(sent(run(planned)))


def _words(texts: Sequence[str]) -> list[Word]:
    try:
        return [word(text) for text in texts]
    except ValueError as problem:
        raise usage_error(str(problem)) from None


def _show(answer: _Element, described: OperationDescription) -> ExitCode:
    try:
        content = to_python(answer, described)
    except ValueError as problem:
        remark = f"done, but not answered as described: {printable(str(problem))}"
        typer.echo(f"dasp: {remark}", err=True)
        return ExitCode.UNREACHABLE
    typer.echo(json_text.dumps(_jsonable(content), indent=2))
    return ExitCode.DONE


class _Plan(NamedTuple):
    """A call that the description allows."""

    description: ServiceDescription
    values: dict[str, object]
    preview: str


def _planned(
    description: ServiceDescription, operation: str, words: Sequence[Word], soap: SoapVersion
) -> _Plan:
    """Raises `ValueError` for what the description does not allow."""
    described = callable_operation(description, operation)
    values = parameters_of(words, described.parameters[1:])
    checked = operation_of(operation, values, Anything(), writes=True, description=description)
    return _Plan(description, values, _preview(*checked, soap))


def _jsonable(value: Plain) -> object:
    """What JSON has no type for, as XSD spells it."""
    if isinstance(value, dict):
        return {name: _jsonable(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_jsonable(each) for each in value]
    has_a_type = value is None or isinstance(value, str | int)
    if has_a_type or (isinstance(value, float) and math.isfinite(value)):
        return value
    return content_of(value)


def _agreed(preview: str) -> bool:
    with contextlib.suppress(KeyboardInterrupt):
        typer.echo(f"{preview}\n\nIt may change something. Send it? [y/N] ", err=True, nl=False)
        # Not click's own question, which writes to standard output too.
        if sys.stdin.readline().strip().lower() in {"y", "yes"}:
            return True
    typer.echo("\ndasp: nothing was sent", err=True)
    return False


def _preview(operation: Operation[Any], arguments: Sequence[object], version: SoapVersion) -> str:
    """A request as it would be sent, without secrets; raises `ValueError` for what can't be."""
    render(operation, version, (MASKED, *arguments))
    pairs = [
        (Element(element.name, STRING), MASKED)
        if isinstance(argument, Secret | Concealed)
        else (element, argument)
        for element, argument in zip(operation.parameters, (Secret(""), *arguments), strict=True)
    ]
    elements, shown = zip(*pairs, strict=True)
    shown_as: Operation[Any] = Operation(
        operation.name, elements, operation.result, writes=operation.writes
    )
    request = render(shown_as, version, shown)
    headers = "".join(f"{name}: {value}\n" for name, value in request.headers.items())
    return f"{headers}\n{request.body.decode()}"


def _failed(error: DaspError) -> ExitCode:
    typer.echo(f"dasp: {printable(str(error))}", err=True)
    if isinstance(error, TransportError) and error.maybe_sent:
        typer.echo("dasp: it may have been done all the same; look before trying again", err=True)
    return exit_code(error)


def _as_text(described: OperationDescription) -> str:
    problem = described.problem and f"can't be called: {described.problem}"
    remarks = [printable(each) for each in (described.documentation, problem) if each]
    return "\n    ".join([printable(described.signature), *remarks])


def _as_json(described: OperationDescription) -> str:
    return json_text.dumps(
        {
            "name": described.name,
            "documentation": described.documentation,
            "parameters": [_element(each) for each in described.parameters],
            "results": [_element(each) for each in described.results],
            "versions": sorted(version.value for version in described.versions),
            "problem": described.problem,
        }
    )


def _element(element: Element) -> dict[str, object]:
    return {
        "name": element.name,
        "type": element.type.name,
        "required": element.required,
        "nillable": element.nillable,
    }

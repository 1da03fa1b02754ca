"""Operations that have no row of their own: by name alone, or as the service describes them."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

from dasp_async.arguments import kind_of
from dasp_async.operations import KEY, NAMESPACE, Anything, Guid, Known, Operation
from dasp_async.secret import Concealed, Secret, names_a_secret
from dasp_async.wsdl import OperationDescription, ServiceDescription
from dasp_async.xsd import ANY, GUID, STRING, ArrayType, Element, checked_name, given

_JOB_IDS: Final = (GUID, STRING)


def operation_of(
    name: str,
    parameters: Mapping[str, object],
    result: Known | Anything,
    *,
    writes: bool,
    description: ServiceDescription | None,
) -> tuple[Operation[Any], list[object]]:
    """An operation, and its arguments after the key; those that are None are left out.

    With a description, names, order and types are checked by it. Passwords are made secrets.
    Raises `ValueError` or `TypeError` for what can't be sent, naming what, not its value.
    """
    try:
        return _operation_of(name, parameters, result, writes=writes, description=description)
    except TypeError as found:
        problem: TypeError | ValueError = TypeError(str(found))
    except ValueError as found:
        problem = ValueError(str(found))
    except RecursionError:
        problem = ValueError("parameters are nested too deeply, or hold themselves")
    except Exception as found:  # noqa: BLE001 - whatever a value of the caller's raises
        problem = ValueError(f"parameters can't be read: {type(found).__name__}")
    # Raised out here, from where no frame of its traceback has a password.
    del parameters
    raise problem


def _operation_of(
    name: object,
    parameters: object,
    result: Known | Anything,
    *,
    writes: bool,
    description: object,
) -> tuple[Operation[Any], list[object]]:
    if not isinstance(name, str):
        raise TypeError(f"operation must be text, not {type(name).__name__}")
    if not isinstance(parameters, Mapping):
        raise TypeError(f"parameters must be a mapping, not {type(parameters).__name__}")
    if description is not None and not isinstance(description, ServiceDescription):
        raise TypeError(
            f"description must be what describe() answers, not {type(description).__name__}"
        )
    kind_of("writes", writes, bool)
    values = cast("Mapping[object, object]", parameters)
    try:
        checked_name(name)
    except ValueError as problem:
        raise ValueError(f"operation {problem}") from None
    if not name.isascii():
        # It stands in a header too, SOAP 1.1's SOAPAction.
        raise ValueError("operation must have a name in ASCII")
    if KEY.name in values:
        raise ValueError("the key is sent of its own accord: leave it out of the parameters")
    if description is None:
        sent = _unchecked(values)
    else:
        described = callable_operation(description, name)
        if isinstance(result, Guid):
            _check_starts_a_job(described)
        sent = _checked(described, values)
    operation: Operation[Any] = Operation(
        name, (KEY, *(element for element, _ in sent)), result, writes=writes
    )
    return operation, [_hidden(element, value) for element, value in sent]


def callable_operation(description: ServiceDescription, name: str) -> OperationDescription:
    """An operation that this client can call; raises `ValueError`, saying why, if it can't."""
    described = description.operation(name)
    problem = obstacle(description, described)
    if problem is not None:
        raise ValueError(f"{name} can't be called as the service describes it: {problem}")
    return described


def obstacle(description: ServiceDescription, described: OperationDescription) -> str | None:
    """Why this client can't call an operation; None if it can."""
    soap_action = NAMESPACE + described.name
    if described.problem is not None:
        return described.problem
    if description.namespace != NAMESPACE:
        return f"its namespace is {description.namespace}, not {NAMESPACE}"
    if described.soap_action != soap_action:
        return f"its SOAPAction is {described.soap_action}, not {soap_action}"
    if [each.name for each in described.parameters[:1]] != [KEY.name]:
        return "its first parameter is not the key"
    return None


def _unchecked(values: Mapping[object, object]) -> list[tuple[Element, object]]:
    try:
        return [
            (Element(checked_name(each), ANY), value)
            for each, value in values.items()
            if value is not None
        ]
    except ValueError as problem:
        raise ValueError(f"parameters {problem}") from None


def _checked(
    described: OperationDescription, values: Mapping[object, object]
) -> list[tuple[Element, object]]:
    try:
        return given(described.parameters[1:], values, "parameters")
    except ValueError as problem:
        raise ValueError(f"{described.name}: {problem}") from None


def _check_starts_a_job(described: OperationDescription) -> None:
    kinds = [each.type for each in described.results]
    if not kinds or kinds[0] not in _JOB_IDS:
        found = kinds[0].name if kinds else "nothing"
        raise ValueError(
            f"{described.name} answers {found}, and no job's id to wait for; use `call`"
        )


def _hidden(element: Element, value: object) -> object:
    is_secret = names_a_secret(element.name)
    if isinstance(element.type, ArrayType):
        value = _listed(value)
    if isinstance(value, str):
        return Secret(value) if is_secret else value
    secrets = [Secret(text) for text in _secret_texts(value, is_secret=is_secret)]
    return Concealed(value, *secrets) if secrets or is_secret else value


def _listed(value: object) -> object:
    """An iterable's items, which are gone through here and once more to be written."""
    as_it_is = value
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        return as_it_is
    return list(cast("Iterable[object]", value))


def _secret_texts(value: object, *, is_secret: bool) -> Iterator[str]:
    """The texts in a value that has a secret's name, or under such names in it."""
    if isinstance(value, str) and is_secret:
        yield value
    elif isinstance(value, bytes) and is_secret:
        yield base64.b64encode(value).decode()
    elif isinstance(value, Mapping):
        for name, each in cast("Mapping[object, object]", value).items():
            yield from _secret_texts(each, is_secret=is_secret or names_a_secret(str(name)))
    elif isinstance(value, list | tuple):
        for each in cast("Iterable[object]", value):
            yield from _secret_texts(each, is_secret=is_secret)

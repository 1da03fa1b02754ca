"""The calls that came, and what to say where a test expected others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from dasp_async.operations import KEY
from dasp_async.secret import MASKED, Secret, names_a_secret
from dasp_async.soap import SoapVersion
from dasp_async.xsd.moments import date_time_to_text


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedCall:
    """A POST to the service's address, as the fake understood it.

    operation: its name; None if the request could not be told to call one.
    version: the SOAP version that it was answered in.
    parameters: the values that were read, by name, as their text, an array as a list; the key
    and passwords are `Secret`s. One that was missing, or in another namespace, is not among them.
    headers: the request's, their names in lower case.
    at: when it came, in seconds of the clock's `monotonic`.
    status: the HTTP status of the answer; None as long as no whole answer was sent.
    """

    operation: str | None
    version: SoapVersion
    parameters: Mapping[str, Any]
    headers: Mapping[str, str]
    at: float
    status: int | None = None

    def __str__(self) -> str:
        """The call on one line, without the key and secrets."""
        shown = {name: value for name, value in self.parameters.items() if name != KEY.name}
        answer = "no whole answer" if self.status is None else f"HTTP {self.status}"
        return f"{self.operation or 'what is no call'}({_listed(shown)}): {answer}"

    def fits(self, operation: str, parameters: Mapping[str, object]) -> bool:
        """Whether it called an operation with these parameters, and perhaps others."""
        return self.operation == operation and all(
            name in self.parameters and _plain(self.parameters[name]) == _plain(value)
            for name, value in parameters.items()
        )


def difference(
    calls: Sequence[ReceivedCall],
    operation: str,
    parameters: Mapping[str, object],
    times: int | None,
) -> str | None:
    """Why the calls are not as expected, and all of them; None if they are."""
    found = sum(call.fits(operation, parameters) for call in calls)
    if found == times or (times is None and found > 0):
        return None
    received = [pair for call in calls for pair in call.parameters.items()]
    secret = {name for name, value in received if isinstance(value, Secret)}
    expected = {name: Secret("") if name in secret else each for name, each in parameters.items()}
    wanted = f"{operation}({_listed(expected)})" if parameters else operation
    often = "once or more" if times is None else _times(times)
    listed = "".join(f"\n  {number}. {call}" for number, call in enumerate(calls, 1))
    return f"{wanted} was called {_times(found)}, not {often}; all calls:{listed or ' none'}"


def _times(number: int) -> str:
    return "1 time" if number == 1 else f"{number} times"


def _plain(value: Any) -> object:
    """A value as the text it has on the wire; a list of them for an array, a dict for a record."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in cast("Sequence[Any]", value)]
    if isinstance(value, date):
        return date_time_to_text(value)
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def _listed(parameters: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={_shown(name, value)}" for name, value in parameters.items())


def _shown(name: str, value: Any) -> str:
    if isinstance(value, Secret) or names_a_secret(name) or name == KEY.name:
        return MASKED
    if isinstance(value, Mapping):
        return f"({_listed(cast('Mapping[str, Any]', value))})"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_shown(name, each) for each in cast('Sequence[Any]', value))}]"
    return repr(_plain(value))

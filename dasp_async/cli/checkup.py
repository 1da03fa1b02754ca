"""What the doctor looks at, in order: what each check finds, and what to do about it."""

from __future__ import annotations

import enum
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

import anyio
import anyio.to_thread
from anyio.streams.tls import TLSAttribute

from dasp_async.drift import drift
from dasp_async.errors import DaspError, HttpError, InvalidResponse, SoapFault
from dasp_async.operations import OPERATIONS

if TYPE_CHECKING:
    from anyio.abc import SocketStream

    from dasp_async.client import CustomerApi
    from dasp_async.wsdl import ServiceDescription

# Seconds for each step below HTTP
STEP_LIMIT: Final = 10.0
# Seconds that two clocks may be apart: HTTP's dates are whole seconds, and an answer takes time.
_SKEW_LIMIT: Final = 60.0
_FOR_HTTPS: Final = {"https", "all"}
_PORTS: Final = {"https": 443, "http": 80}


class Verdict(enum.Enum):
    """What a check comes to."""

    GOOD = "ok"
    NEW = "new"
    SKIPPED = "skipped"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Check:
    """A check and what it found. advice: what to do about it; empty for nothing."""

    name: str
    verdict: Verdict
    finding: str
    advice: str = ""


async def checks(api: CustomerApi, endpoint: str, *, with_key: bool) -> AsyncIterator[Check]:
    """The checks of an endpoint, each as it is done; what needs one that is bad is skipped.

    with_key: whether to make one call with the client's key.
    """
    is_good = True
    async for check in _connection(urlsplit(endpoint)):
        is_good = is_good and check.verdict is not Verdict.BAD
        yield check
    served_at = None
    if is_good:
        async for check, described in _description(api):
            is_good = is_good and check.verdict is not Verdict.BAD
            served_at = served_at or described
            yield check
    clock = clock_against(served_at, datetime.now(UTC))
    if not with_key:
        yield Check("key", Verdict.SKIPPED, "say --with-key to make one call with it")
    elif not is_good:
        yield Check("key", Verdict.SKIPPED, "mend first what is bad: a call could not tell")
    else:
        yield await _key(api)
    yield clock


async def _description(api: CustomerApi) -> AsyncIterator[tuple[Check, datetime | None]]:
    """The endpoint, and what it describes; with what time it was there."""
    try:
        description = await api.describe()
    except InvalidResponse as error:
        yield Check("endpoint", Verdict.GOOD, "something answers there"), None
        advice = "is it the service itself that answers?"
        yield Check("WSDL", Verdict.BAD, str(error), advice), None
    except DaspError as error:
        yield Check("endpoint", Verdict.BAD, str(error), advice_on(error)), None
    else:
        finding = "it answers with the service's description"
        yield Check("endpoint", Verdict.GOOD, finding), description.served_at
        for check in contract(description):
            yield check, None


async def _connection(endpoint: SplitResult) -> AsyncIterator[Check]:
    """DNS, TCP and TLS; the one that fails is the last."""
    host, port = endpoint.hostname or "", endpoint.port or _PORTS[endpoint.scheme]
    # As the client has it: https goes through a proxy where one is named, http never does.
    is_proxied = endpoint.scheme == "https" and not getproxies().keys().isdisjoint(_FOR_HTTPS)
    if is_proxied and not proxy_bypass(host):
        yield Check("DNS, TCP, TLS", Verdict.SKIPPED, "the way there leads through a proxy")
        return
    for name, step, advice in _STEPS:
        if name == "TLS" and endpoint.scheme == "http":
            yield Check(name, Verdict.SKIPPED, "the endpoint is http")
            return
        try:
            with anyio.fail_after(STEP_LIMIT):
                finding = await step(host, port)
        except TimeoutError:
            yield Check(name, Verdict.BAD, f"nothing within {STEP_LIMIT:.0f} s", advice)
            return
        except (OSError, UnicodeError, anyio.BrokenResourceError) as error:
            yield Check(name, Verdict.BAD, _reason(error), advice)
            return
        yield Check(name, Verdict.GOOD, finding)


def _reason(error: BaseException) -> str:
    """What the operating system says, where anyio says that all attempts failed."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, BaseExceptionGroup):
        return _reason(cast("BaseExceptionGroup[BaseException]", error).exceptions[0])
    return str(error) or type(error).__name__


async def _resolve(host: str, port: int) -> str:
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return f"{host} is {', '.join(dict.fromkeys(str(address[0]) for *_, address in found))}"


async def _connect(host: str, port: int) -> str:
    return await _closed(await anyio.connect_tcp(host, port), f"port {port} is open")


async def _closed(stream: SocketStream, finding: str) -> str:
    async with stream:
        return finding


async def _shake_hands(host: str, port: int) -> str:
    from dasp_async.transport.own import tls_context  # noqa: PLC0415 - brings httpx

    context = await anyio.to_thread.run_sync(tls_context)
    async with await anyio.connect_tcp(
        host, port, ssl_context=context, tls_standard_compatible=False
    ) as stream:
        version = stream.extra(TLSAttribute.tls_version)  # noqa: S610 - no Django
        certificate = stream.extra(TLSAttribute.peer_certificate) or {}  # noqa: S610 - no Django
        return f"{version}, with a certificate until {certificate.get('notAfter')}"


_STEPS: Final = (
    ("DNS", _resolve, "is the name right, and does this machine find other names?"),
    ("TCP", _connect, "is the port right, a firewall in between, or the service down?"),
    (
        "TLS",
        _shake_hands,
        (
            "does it speak TLS on that port, is the clock right, and does no box break TLS open on "
            "the way? SSL_CERT_FILE names whom to trust"
        ),
    ),
)


_ON_CHANGE: Final = (
    "do not use the method of that name: what it sends may be read as null, and so as an order to "
    "empty something; `dasp call` goes by the description"
)


def contract(description: ServiceDescription) -> Iterator[Check]:
    """The service's description against what this package believes."""
    found = drift(description)
    for place, text in enumerate(found.changed, 1):
        # Once is enough.
        yield Check("WSDL", Verdict.BAD, text, _ON_CHANGE if place == len(found.changed) else "")
    if not found.changed:
        yield Check("WSDL", Verdict.GOOD, f"all {len(OPERATIONS)} known operations are in it")
    for text in found.new:
        yield Check("WSDL", Verdict.NEW, text)


async def _key(api: CustomerApi) -> Check:
    """One call that only reads, and whose result shows that the key is taken."""
    today = datetime.now(UTC).date()
    try:
        await api.bandwidth_get_usage(today, today)
    except DaspError as error:
        return Check("key", Verdict.BAD, str(error), advice_on(error))
    return Check("key", Verdict.GOOD, "the service takes it")


def clock_against(served_at: datetime | None, now: datetime) -> Check:
    """This machine's clock against the service's."""
    if served_at is None:
        return Check("clock", Verdict.SKIPPED, "the service did not say what time it is")
    apart = (now - served_at).total_seconds()
    finding = f"{abs(apart):.0f} s {'after' if apart > 0 else 'before'} the service's"
    if abs(apart) <= _SKEW_LIMIT:
        return Check("clock", Verdict.GOOD, finding)
    return Check(
        "clock",
        Verdict.BAD,
        finding,
        "set it by NTP: certificates and budgets that are kept in a file go by it",
    )


def advice_on(error: DaspError) -> str:
    """What to do about an error of a call; empty where the error says it."""
    match error:
        case SoapFault():
            return (
                "keys are case-sensitive, and this machine's address must be white-listed in the "
                "control panel; do not try again and again, 25 failed log-ins lock it out"
            )
        case HttpError(status_code=status) if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return "the service may be down: try again later"
        case HttpError():
            return "is the endpoint right, to the path?"
        case _:
            return ""

"""A budget on a Redis server, for any number of machines."""

from __future__ import annotations

import json
import math
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from dasp_async import arguments
from dasp_async.budget import pacing, rules, steps
from dasp_async.budget.contract import (
    Admission,
    Admitted,
    Caller,
    Closed,
    NotYet,
    UsedUp,
    Verdict,
    Waiting,
    account_asked_for,
)
from dasp_async.budget.rules import Limits
from dasp_async.budget.threads import Threads
from dasp_async.errors import CallRefused
from dasp_async.secret import Secret

if TYPE_CHECKING:
    from redis import Redis

    from dasp_async.clock import Clock

# In one slot, so that a cluster has all of them on one machine.
_PREFIX: Final = "{dasp_async}:"
_PATIENCE: Final = 5.0
_AT_ONCE: Final = 8

_ADDRESSES: Final = ("redis://", "rediss://", "unix://")

_RULES: Final = json.dumps(
    {
        name: value
        for module in (rules, pacing)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, int | float)
    }
)

_UNREACHABLE: Final = "start it, or give the address of one that runs"
# By the names of the client's errors
_ADVICE: Final = {
    "ConnectionError": _UNREACHABLE,
    "TimeoutError": _UNREACHABLE,
    "AuthenticationError": "mend the user's name and password in its address",
    "ReadOnlyError": "give the address of the primary server",
}
_ANY_ADVICE: Final = (
    "see to it that it is a Redis server of version 5 or newer, whose user may use the keys "
    f"{_PREFIX}* and the commands @read, @write, @scripting and time"
)


class RedisBudget:
    """Counts calls and faults for all machines that use the same Redis server; extra `redis`.

    A call is counted before it is made, in one step on the server and by the server's clock. The
    server holds hashes of keys and endpoints, never these. It must keep what it is given: a
    server that evicts keys, or restarts without having saved them, forgets calls. All who
    share it must give the same limit and window.

    client_or_url: a `redis.Redis` (not the one of `redis.asyncio`, which does not run under
    trio), or an address like redis://host:6379/0. A client that is passed in keeps its own
    time limits, is never closed, and needs 8 connections; an own one has 5 seconds to connect
    and 5 for an answer. limit: calls in any `window`, of each key; `math.inf` guards against a
    lock-out alone. window: seconds or a timedelta. reserve: calls that waits leave to direct
    calls. clock: instead of the server's, for tests.

    Raises `ValueError` or `TypeError` for arguments that make no sense, and `ImportError` if
    redis is not installed.
    """

    __slots__ = ("_clock", "_limits", "_lock", "_script", "_server", "_threads")

    def __init__(
        self,
        client_or_url: Redis | str,
        *,
        limit: float = 1000,
        window: float | timedelta = 86_400.0,
        reserve: int = 0,
        clock: Clock | None = None,
    ) -> None:
        self._server: Redis | Secret = (
            Secret(client_or_url) if isinstance(client_or_url, str) else client_or_url
        )
        # No error below may have an address, or a client that shows its password, among the
        # local variables of its traceback.
        del client_or_url
        problem = _problem_with(self._server)
        if problem is not None:
            raise problem
        self._limits = Limits.of(limit, window, reserve)
        arguments.clock(clock)
        self._clock = clock
        self._threads = Threads(_AT_ONCE)
        self._lock = threading.Lock()
        self._script: Callable[..., Any] | None = None

    async def admit(self, caller: Caller, waiting: Waiting | None) -> Admission:
        """Count a call, if it may be made now; `waiting` is None for a direct call."""
        wait = {} if waiting is None else waiting._asdict()
        return _admission(await self._step("admit", caller, **wait))

    async def settle(self, caller: Caller, call: int, verdict: Verdict) -> None:
        """Note what came of a call that was admitted."""
        if steps.needs_settling(call, verdict):
            await self._step("settle", caller, call=call, verdict=verdict.value)

    async def remaining(self, key: str | None = None) -> int:
        """The calls left now to a key; None for the key that has the fewest left.

        `sys.maxsize` without a limit. Raises `CallRefused` if the server can't be used, and
        `TypeError` or `ValueError` for what can't be a key.
        """
        account = account_asked_for(key)
        # No error below may have it among the local variables of its traceback.
        del key
        if isinstance(account, Exception):
            raise account
        if self._limits.limit == math.inf:
            return sys.maxsize
        nobody = Caller("", "")
        accounts = await self._step("accounts", nobody) if account is None else [account]
        used = [await self._step("used", Caller(_text(name), "")) for name in accounts]
        return max(0, int(self._limits.limit) - max(used, default=0))

    async def _step(self, name: str, caller: Caller, **details: object) -> Any:
        step = {
            "name": name,
            "account": caller.account,
            "site": caller.site,
            "window": self._limits.window,
            "reserve": self._limits.reserve,
            **details,
        }
        if self._limits.limit < math.inf:
            step["limit"] = self._limits.limit
        if self._clock is not None:
            step["now"] = self._clock.time()
        return await self._threads.run(partial(self._in_thread, _keys(caller), json.dumps(step)))

    def _in_thread(self, keys: list[str], step: str) -> Any:
        try:
            with self._lock:
                if self._script is None:
                    program = Path(__file__).with_name("redis_steps.lua").read_text("utf-8")
                    self._script = _client(self._server).register_script(program)
            return self._script(keys=keys, args=[step, _RULES])
        except Exception as error:  # noqa: BLE001 - of whatever client was passed in
            names = [kind.__name__ for kind in type(error).__mro__]
            advice = next((_ADVICE[name] for name in names if name in _ADVICE), _ANY_ADVICE)
            # Python's own complaints of an address may show parts of it.
            text = names[0] if isinstance(error, TypeError | ValueError) else str(error)
        # Outside the block above, or the error would hold the client's.
        raise CallRefused(
            f"no call without its count, and Redis can't keep it: {text}; {advice}",
            transient=advice is _UNREACHABLE,
        )


def _problem_with(server: object) -> Exception | None:
    """What is wrong with a client or an address; returned, since frames would hold the address."""
    if isinstance(server, Secret):
        try:
            parts = urlsplit(server.reveal())
            is_address = server.reveal().startswith(_ADDRESSES) and parts.port != 0
        except ValueError:
            is_address = False
        if not is_address:
            return ValueError(
                "client_or_url must be an address like redis://host:6379/0, rediss:// for TLS, or "
                "unix:// for a socket"
            )
        if find_spec("redis") is None:
            return ImportError('pip install "dasp_async[redis]" to use RedisBudget')
        return None
    kind = type(server)
    is_async = any(cls.__module__.split(".")[1:2] == ["asyncio"] for cls in kind.__mro__)
    is_client = not isinstance(server, type) and callable(getattr(server, "register_script", None))
    if is_async or not is_client:
        return TypeError(
            f"client_or_url must be a redis.Redis or an address, not {kind.__module__}."
            f"{kind.__name__}; the client of redis.asyncio does not run under trio"
        )
    return None


def _client(server: Redis | Secret) -> Redis:
    if not isinstance(server, Secret):
        return server
    from redis import ConnectionError, Redis  # noqa: A004, PLC0415 - an extra's
    from redis.backoff import NoBackoff  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    # Once more at once, for a connection that was closed while nobody used it. A step that was
    # made and could not say so then counts two calls, never none.
    return Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
        server.reveal(),
        socket_timeout=_PATIENCE,
        socket_connect_timeout=_PATIENCE,
        retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
    )


def _keys(caller: Caller) -> list[str]:
    """The keys of a step, in the order in which the script names them."""
    own = [f"{kind}:{caller.account}" for kind in ("calls", "waits", "grant")]
    shared = ["standings", "marks", "blames", "accounts", "sequence"]
    return [_PREFIX + name for name in (*own, *shared)]


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _admission(reply: list[Any]) -> Admission:
    kind, first, *rest = reply
    match _text(kind):
        case "admitted":
            return Admitted(first)
        case "not yet":
            return NotYet(float(first))
        case "used up":
            return UsedUp(float(first), *rest)
        case _:
            return Closed(float(first), *rest)

"""What a client asks of a budget, and what it is told."""

from __future__ import annotations

import enum
import hashlib
from typing import Final, NamedTuple, Protocol, TypeAlias
from urllib.parse import urlsplit

from dasp_async.arguments import problem_with_key
from dasp_async.errors import BudgetExhausted

_DIGEST_BYTES: Final = 16
_PORTS: Final = {"https": 443, "http": 80}


class Caller(NamedTuple):
    """Who calls: hashes of the key and of the endpoint, neither of which can be read back."""

    account: str
    site: str

    @classmethod
    def of(cls, key: str, endpoint: str) -> Caller:
        """The caller that uses a key at an endpoint; its host and port alone tell it apart."""
        parts = urlsplit(endpoint)
        port = parts.port or _PORTS.get(parts.scheme)
        return cls(account_of(key), _digest(f"{parts.hostname}:{port}"))


def account_of(key: str) -> str:
    """The hash by which a budget knows a key."""
    return _digest(key)


def account_asked_for(key: object) -> str | TypeError | ValueError | None:
    """The hash of the key that `remaining` is asked about, or what is wrong with the key.

    None for none. Returned, since the frames of a raised error would hold the key.
    """
    return None if key is None else problem_with_key(key) or account_of(str(key))


def _digest(text: str) -> str:
    data = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES, person=b"dasp_async").hexdigest()


class Waiting(NamedTuple):
    """What a process asks a look for: it waits for so many jobs.

    process: tells processes that share a budget apart. overdue: for how many seconds the look
    has been due.
    """

    process: str
    jobs: int
    overdue: float = 0.0


class Admitted(NamedTuple):
    """The call was counted and may be made; `call` is for `settle`."""

    call: int


class NotYet(NamedTuple):
    """Nothing was counted; ask again in `pause` seconds."""

    pause: float


class UsedUp(NamedTuple):
    """No call is left; the next is free in `pause` seconds, unless others take it."""

    pause: float
    limit: int
    used: int

    def refusal(self, operation: str, pause: float) -> BudgetExhausted:
        """The error for a call that is not made, when the next is free in `pause` seconds."""
        return BudgetExhausted(
            f"{operation}: not sent, since {self.used} of {self.limit} calls are used; the next is "
            f"free in {pause:.0f} s",
            operation=operation,
            retry_after=pause,
            limit=self.limit,
            used=self.used,
        )


class Closed(NamedTuple):
    """More calls could lock the address out; the next may be tried in `pause` seconds."""

    pause: float
    faults: int


Admission: TypeAlias = Admitted | NotYet | UsedUp | Closed


class Verdict(enum.Enum):
    """What an answer says about the key, as far as the lock-out is concerned.

    GOOD: a result. DOUBTFUL: a fault whose words are about the job, or ask for fewer calls, and
    one that can't be read; it counts against a key that was never proven good. FAULT: any other
    fault, and HTTP 401 and 403. REFUSED_KEY: a fault whose words are about the account.
    NOTHING: all else.
    """

    GOOD = "good"
    DOUBTFUL = "doubtful"
    FAULT = "fault"
    REFUSED_KEY = "refused key"
    NOTHING = "nothing"


class CallBudget(Protocol):
    """A store that counts calls and remembers faults, for all clients that share it.

    Each step is atomic. A step that can't be made, because the store is locked, full, corrupt
    or gone, raises `CallRefused`: no call goes uncounted.
    """

    async def admit(self, caller: Caller, waiting: Waiting | None) -> Admission:
        """Count a call, if it may be made now; `waiting` is None for a direct call."""
        ...

    async def settle(self, caller: Caller, call: int, verdict: Verdict) -> None:
        """Note what came of a call that was admitted."""
        ...

    async def remaining(self, key: str | None = None) -> int:
        """The calls left now to a key; None for the key that has the fewest left.

        `sys.maxsize` without a limit. Raises `CallRefused` if the store can't be read, and
        `TypeError` or `ValueError` for what can't be a key.
        """
        ...

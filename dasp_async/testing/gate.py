"""Who may call, and how often: the keys, the lock-out, the daily limit, the frequency limit."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from dataclasses import dataclass
from typing import Final

from dasp_async.arguments import whole
from dasp_async.secret import Secret
from dasp_async.testing import checks
from dasp_async.testing.script import Fault, thrown

_DAY: Final = 24 * 60 * 60.0


@dataclass(frozen=True, slots=True)
class FrequencyLimit:
    """How many calls of one operation with one key are taken: `calls` in any `seconds`."""

    calls: int
    seconds: float

    def __post_init__(self) -> None:
        whole("calls", self.calls, least=0)
        checks.not_negative("seconds", self.seconds)


class Gate:
    """What is refused before the service's code does anything; the faults' words are our own.

    They are words that the client's default `FaultRules` tell apart.
    """

    def __init__(
        self,
        key: Secret,
        sandbox_key: Secret | None,
        daily_limit: int | None,
        frequency_limit: FrequencyLimit | None,
        lockout_after: int | None,
    ) -> None:
        self._key = key
        self._sandbox_key = sandbox_key
        self._daily_limit = None if daily_limit is None else FrequencyLimit(daily_limit, _DAY)
        self._frequency_limit = frequency_limit
        self._lockout_after = lockout_after
        self._failed: Counter[str] = Counter()
        self._taken: defaultdict[tuple[bool, str], deque[float]] = defaultdict(deque)

    def is_sandbox(self, key: Secret) -> bool:
        """Whether it is the key that may not write."""
        return _same(key, self._sandbox_key)

    def refusal(self, key: Secret | None, operation: str, address: str, now: float) -> Fault | None:
        """The fault for a call that may not be made; None counts it as made.

        address: the caller's. now: seconds of the clock's `monotonic`.
        """
        if self._lockout_after is not None and self._failed[address] >= self._lockout_after:
            return thrown(
                "Access denied: the IP address is blocked, "
                f"since {self._lockout_after} log-ins from it failed."
            )
        if key is None or not (_same(key, self._key) or self.is_sandbox(key)):
            self._failed[address] += 1
            return thrown("API key is missing." if key is None else "Invalid API key.")
        return self._too_often(self.is_sandbox(key), operation, now)

    def _too_often(self, is_sandbox: bool, operation: str, now: float) -> Fault | None:  # noqa: FBT001 - which of two keys
        often = f"{operation} was called more than {{0.calls}} times in {{0.seconds}} s: too often."
        limits = (
            (self._daily_limit, "", "The daily limit of {0.calls} API calls is used up."),
            (self._frequency_limit, operation, often),
        )
        windows: list[deque[float]] = []
        for limit, name, reason in limits:
            if limit is None:
                continue
            window = self._taken[is_sandbox, name]
            while window and window[0] <= now - limit.seconds:
                window.popleft()
            if len(window) >= limit.calls:
                return thrown(reason.format(limit))
            windows.append(window)
        for window in windows:
            window.append(now)
        return None


def _same(key: Secret, other: Secret | None) -> bool:
    return other is not None and key.reveal() == other.reveal()

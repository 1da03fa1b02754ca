"""How long to pause between looks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from dasp_async.arguments import number, seconds


@dataclass(frozen=True, slots=True, init=False)
class Schedule:
    """How long to pause between looks: `initial`, then `factor` times as long, up to `maximum`.

    initial, maximum: seconds, or timedeltas; more than 0, `maximum` not below `initial`.
    factor: 1 or more. jitter: the part of a pause, 0 to 1, by which chance may shorten it, so
    that waits which began together do not look together; a pause is never lengthened.
    Raises `TypeError` or `ValueError` for anything else.
    """

    initial: float
    factor: float
    maximum: float
    jitter: float

    def __init__(
        self,
        *,
        initial: float | timedelta = 2.0,
        factor: float = 1.5,
        maximum: float | timedelta = 60.0,
        jitter: float = 0.2,
    ) -> None:
        object.__setattr__(self, "initial", seconds("initial", initial))
        object.__setattr__(self, "maximum", seconds("maximum", maximum))
        object.__setattr__(self, "factor", number("factor", factor))
        object.__setattr__(self, "jitter", number("jitter", jitter))
        if self.initial == 0:
            raise ValueError("initial must be more than 0 seconds: the service allows few calls")
        if self.maximum < self.initial:
            raise ValueError(f"maximum ({self.maximum}) must not be below initial ({self.initial})")
        if not 1 <= self.factor < math.inf:
            raise ValueError(f"factor must be 1 or more; got {self.factor}")
        if not 0 <= self.jitter <= 1:
            raise ValueError(f"jitter must be from 0 to 1; got {self.jitter}")

    def delay(self, step: int, draw: float = 0.0) -> float:
        """The seconds to pause after `step` earlier pauses.

        draw: chance's share, from 0 (no jitter) up to 1 (all of it).
        """
        try:
            full = min(self.maximum, self.initial * self.factor**step)
        except OverflowError:
            full = self.maximum
        return full * (1 - self.jitter * draw)

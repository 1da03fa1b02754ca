"""An app whose errors go to Sentry: it meets the whole fault table, and prints what Sentry gets."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any, cast

import anyio
import sentry_sdk
from sentry_sdk.envelope import Envelope
from sentry_sdk.scrubber import EventScrubber
from sentry_sdk.transport import Transport

from dasp_async import CustomerApi, DaspError
from tests.secrecy.calls import CALLS, ECHOED, api
from tests.secrecy.conftest import SERVERS_OWN_WORDS
from tests.secrecy.faults import CAP, FAULTS
from tests.secrecy.remains import TESTS
from tests.secrecy.search import KEYS, PASSWORD, found
from tests.servers import RawServer


class Collector(Transport):
    """A transport that keeps what would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        """Keep an envelope's items."""
        for item in envelope.items:
            payload: Any = json.loads(item.get_bytes())
            self.sent.append(json.dumps(_ours(payload), ensure_ascii=False))


def _ours(payload: object) -> object:
    """A payload without the variables of the tests' own frames."""
    if isinstance(payload, list):
        return [_ours(each) for each in cast("Iterable[object]", payload)]
    if not isinstance(payload, dict):
        return payload
    members = cast("dict[str, Any]", payload)
    leave_out = set[str]()
    if str(members.get("abs_path", "")).startswith(TESTS):
        leave_out.add("vars")
    if str(members.get("message", "")).startswith(SERVERS_OWN_WORDS):
        leave_out.add("message")
    return {name: _ours(each) for name, each in members.items() if name not in leave_out}


async def _meet(name: str, client: CustomerApi) -> None:
    try:
        async with client:
            await CALLS[name](client)
    except DaspError as error:
        sentry_sdk.capture_exception(error)


async def main(collector: Collector) -> None:
    """Print, as JSON by the fault and the call, what was found, and how much there was."""
    key, told = KEYS["with signs"], dict[str, tuple[int, list[str]]]()
    for fault, row in FAULTS.items():
        with RawServer(row.serve([key, PASSWORD]), **row.server()) as server:
            for name, sends_a_password in ECHOED.items():
                collector.sent.clear()
                sentry_sdk.get_isolation_scope().clear()
                await _meet(
                    name, api(key, server.url, **{"max_response_bytes": CAP, **row.options})
                )
                secrets = [key, PASSWORD] if sends_a_password else [key]
                text = "\n".join(collector.sent)
                told[f"{fault}: {name}"] = len(text), found(text, secrets)
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    collected = Collector()
    sentry_sdk.init(
        dsn="https://public@sentry.invalid/1",
        transport=collected,
        send_default_pii=True,
        # Nothing is left to Sentry's own guesses at what is secret.
        event_scrubber=EventScrubber(denylist=[], pii_denylist=[]),
        max_value_length=1_000_000,
        traces_sample_rate=1.0,
    )
    anyio.run(main, collected)

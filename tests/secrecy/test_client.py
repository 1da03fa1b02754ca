"""No client shows the key or a password: not made wrongly, not used, not closed."""

from __future__ import annotations

import pickle
import pprint
from collections.abc import Callable
from typing import Any, Final

import pytest
from rich.pretty import pretty_repr

from dasp_async import CustomerApi, DaspError, MemoryBudget
from tests.secrecy.calls import CALLS, Notes, api
from tests.secrecy.remains import assert_hidden, holders, walked
from tests.secrecy.search import JOB, KEY, KEYS, PASSWORD, found
from tests.servers import RawServer, answer, replies

OPTIONS: Final[list[dict[str, Any]]] = [
    {"endpoint": "http://api.discountasp.net/"},
    {"endpoint": "https://user:password@api.discountasp.net/"},
    {"endpoint": "https://api.discountasp.net:port/"},
    {"endpoint": "nonsense"},
    {"endpoint": 7},
    {"version": "1.3"},
    {"attempts": 0},
    {"attempts": "3"},
    {"attempt_timeout": -1},
    {"attempt_timeout": "30"},
    {"max_in_flight": 0},
    {"max_response_bytes": 0},
]


@pytest.mark.parametrize("options", OPTIONS, ids=repr)
@pytest.mark.parametrize("key", KEYS)
def test_no_bad_argument_shows_the_key(options: dict[str, Any], key: str) -> None:
    with pytest.raises((ValueError, TypeError)) as caught:
        CustomerApi(KEYS[key], **options)

    assert_hidden(caught.value, KEYS[key])


@pytest.mark.parametrize("bad", [f"{KEY}\0", f"\ud800{KEY}", KEY.encode(), [KEY], bytearray(10)])
def test_no_bad_key_is_shown(bad: Any) -> None:
    with pytest.raises((ValueError, TypeError), match="key ") as caught:
        CustomerApi(bad)

    assert_hidden(caught.value, KEY)


@pytest.mark.parametrize("name", ["DASP_API_KEY", "DASP_ENDPOINT", "DASP_SOAP_VERSION"])
def test_no_bad_variable_of_the_environment_shows_the_key(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASP_API_KEY", KEY)
    monkeypatch.setenv(name, f"{KEY}\x07" if name == "DASP_API_KEY" else "nonsense")

    with pytest.raises(ValueError) as caught:
        CustomerApi.from_env()

    assert_hidden(caught.value, KEY)


@pytest.mark.parametrize("endpoint", [f"https://user:{KEY}@example.com/", KEY, f"http://{KEY}/"])
def test_no_endpoint_with_a_secret_is_shown(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASP_API_KEY", KEY)
    monkeypatch.setenv("DASP_ENDPOINT", endpoint)
    with pytest.raises(ValueError, match=r"^endpoint ") as caught:
        CustomerApi("a-key", endpoint=endpoint)
    assert_hidden(caught.value, KEY)
    with pytest.raises(ValueError, match=r"^DASP_ENDPOINT ") as caught:
        CustomerApi.from_env()
    assert_hidden(caught.value, KEY)


WRONG: Final[dict[str, Callable[[Any], Any]]] = {
    "a job id": lambda api: api.get_job_status("not a guid"),
    "a job id of a wait": lambda api: api.poll_until_done("not a guid"),
    "a callback": lambda api: api.poll_until_done(JOB, on_status=7),
    "a text": lambda api: api.sm_add_user(
        7, "ann", PASSWORD, first_name="", last_name="", max_mailbox_size_in_mb=1
    ),
    "a number": lambda api: api.sm_add_user(
        "a.example", "ann", PASSWORD, first_name="", last_name="", max_mailbox_size_in_mb="1"
    ),
    "a password of bytes": lambda api: api.sm_add_user(
        "a.example", "ann", PASSWORD.encode(), first_name="", last_name="", max_mailbox_size_in_mb=1
    ),
    "a password that XML can't hold": lambda api: api.call("X", {"password": f"{PASSWORD}\0"}),
    "what stands beside a password": lambda api: api.call("X", {"password": PASSWORD, "a": object}),
    "what stands beside it within": lambda api: api.call(
        "X", {"user": {"password": PASSWORD, "a": object()}}
    ),
    "a name": lambda api: api.call("X", {"password": PASSWORD, "no name": 1}),
    "an operation": lambda api: api.call("no name", {"password": PASSWORD}),
    "no mapping": lambda api: api.call("X", [("password", PASSWORD)]),
    "a description": lambda api: api.call("X", {"password": PASSWORD}, description="x"),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_no_wrong_argument_shows_what_stands_beside_it(wrong: str) -> None:
    notes = Notes()
    async with api(KEY, "https://dasp.invalid/") as client:
        with pytest.raises((ValueError, TypeError)):
            await notes.passing(WRONG[wrong](client))
    assert_hidden(notes.caught[0], KEY, PASSWORD)


async def test_no_closed_client_shows_a_secret() -> None:
    notes = Notes()
    client = api(KEY, "https://dasp.invalid/")
    await client.aclose()
    for call in CALLS.values():
        with pytest.raises(RuntimeError):
            await notes.passing(call(client))
        assert_hidden(notes.caught.pop(), KEY, PASSWORD)


async def test_no_refused_call_shows_a_secret() -> None:
    notes = Notes()
    fault = answer(b"<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>"
                   b"<s:Fault><faultstring>Invalid API key</faultstring></s:Fault></s:Body>"
                   b"</s:Envelope>", status="500 x")  # fmt: skip
    with RawServer(replies(fault)) as server:
        for budget in (MemoryBudget(limit=1), MemoryBudget()):
            async with api(KEY, server.url, budget=budget) as client:
                for name in ("get_job_status", "sm_add_user", "call, nested"):
                    with pytest.raises(DaspError):
                        await notes.passing(CALLS[name](client))
    kinds = {type(error).__name__ for error in notes.caught}
    assert kinds >= {"LockoutRisk"}
    for error in notes.caught:
        assert_hidden(error, KEY, PASSWORD)


@pytest.mark.parametrize("key", KEYS)
async def test_a_client_shows_no_key(key: str, left_behind: Callable[..., list[str]]) -> None:
    with RawServer(replies(answer())) as server:
        async with api(KEYS[key], server.url) as client:
            status = await client.get_job_status(JOB)
            shown = [*walked(client, set(), into=""), repr(client), str(client), f"{client}"]
            shown += [pprint.pformat(vars(client)), pretty_repr(client), pretty_repr(vars(client))]
            held = holders(client, [KEYS[key]])
    held |= holders(client, [KEYS[key]])

    # The walk went as deep as the HTTP library's connections.
    assert any("HTTP11Connection" in text for text in shown)
    assert found("\n".join(shown), [KEYS[key]]) == []
    # In what hides it, and in the pattern that strikes it out, but in no request left over.
    assert held <= {"Secret", "Written", "Mask"}
    assert holders(status, [KEYS[key]]) == set()
    assert left_behind(KEYS[key]) == []


async def test_a_client_is_not_pickled() -> None:
    async with api(KEY, "https://dasp.invalid/") as client:
        with pytest.raises(TypeError) as caught:
            pickle.dumps(client)

    assert_hidden(caught.value, KEY)

"""What the fake's account holds, and what the service's own code does with it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

from dasp_async.clock import Clock
from dasp_async.models import JobRecord
from dasp_async.secret import Secret
from dasp_async.testing.script import Fault, Job, RawAnswer, Script, thrown

Values: TypeAlias = Mapping[str, Any]
"""The parameters of a call by their keys, each of its row's type; None for null."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """A mailbox that SMAddUser made; its `password` is a `Secret`, and is not compared.

    `domain_name`, `user_name`, `first_name`, `last_name`, `max_mailbox_size_in_mb`: as they were
    sent; None for a name that was null.
    """

    domain_name: str
    user_name: str
    password: Secret = field(compare=False)
    first_name: str | None
    last_name: str | None
    max_mailbox_size_in_mb: int


class Account:
    """The jobs, mailboxes, aliases and bandwidth of an account, in memory.

    clock: by which its jobs go. `mailboxes`: in the order they came. `aliases`: the addresses of
    each, by its domain and name. `bandwidth`: rows of a moment and a quantity.

    What it has for an operation takes the parameters by their keys, as ASMX reads them: None
    for what is missing. Whom the real service refuses, and in which words, is not known: the
    reasons of the faults are the fake's own.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._jobs: dict[UUID, Job] = {}
        self._numbers = itertools.count(1)
        self.started = Script(steps=(), duration=None, error_message=None)
        self.mailboxes: list[Mailbox] = []
        self.aliases: dict[tuple[str, str], tuple[str | None, ...]] = {}
        self.bandwidth: list[tuple[datetime, Decimal | int | None]] = []

    def add_job(self, script: Script, name: str, job_id: UUID | None) -> UUID:
        """Add a job, and return its id; None for the next of a series."""
        job_id = self.free_id() if job_id is None else job_id
        self._jobs[job_id] = Job(name=name, script=script, started=self._clock.time())
        return job_id

    def start_job(self, name: str) -> UUID:
        """Start a job that goes as `script_started_jobs` says; its id. name: its JobName."""
        return self.add_job(self.started, name, None)

    def free_id(self) -> UUID:
        """The next id of the series that is no job's."""
        ids = (UUID(f"a0000000-0000-0000-0000-{number:012}") for number in self._numbers)
        return next(job_id for job_id in ids if job_id not in self._jobs)

    def job_status(self, values: Values) -> JobRecord | Fault | RawAnswer | None:
        """What the next look at a job gets."""
        job = self._jobs.get(values["jobId"])
        return thrown("Job not found.") if job is None else job.look(self._clock.time())

    def bandwidth_usage(self, values: Values) -> list[dict[str, object]]:
        """The rows from startDate to endDate, both included, by the wall clock, in order."""
        start, end = (values[name].replace(tzinfo=None) for name in ("startDate", "endDate"))
        rows = sorted(self.bandwidth, key=lambda row: row[0].replace(tzinfo=None))
        return [
            {"UseDate": use_date, "Quantity": quantity}
            for use_date, quantity in rows
            if start <= use_date.replace(tzinfo=None) <= end
        ]

    def add_mailbox(self, values: Values) -> Fault | None:
        """Add a mailbox, and with it its domain."""
        missing = _missing(values, "domainName", "userName", "password")
        if missing is not None:
            return missing
        names = (values["domainName"], values["userName"])
        if names in {(each.domain_name, each.user_name) for each in self.mailboxes}:
            return thrown("The user exists already.")
        self.mailboxes.append(
            Mailbox(
                domain_name=values["domainName"],
                user_name=values["userName"],
                password=values["password"],
                first_name=values["firstName"],
                last_name=values["lastName"],
                max_mailbox_size_in_mb=values["maxMailboxSizeInMB"],
            )
        )
        return None

    def add_alias(self, values: Values) -> Fault | None:
        """Add an alias, and with it its domain; it has no addresses if they are null."""
        missing = _missing(values, "domainName", "aliasName")
        if missing is not None:
            return missing
        if _alias_of(values) in self.aliases:
            return thrown("The alias exists already.")
        self.aliases[_alias_of(values)] = tuple(values["addresses"] or ())
        return None

    def update_alias(self, values: Values) -> Fault | None:
        """Replace an alias's addresses; null leaves it none, which could happen in earnest."""
        if _alias_of(values) not in self.aliases:
            return thrown("Alias not found.")
        self.aliases[_alias_of(values)] = tuple(values["newAddresses"] or ())
        return None

    def all_aliases(self, values: Values) -> list[dict[str, object]] | Fault:
        """The aliases of a domain, which must have a mailbox or an alias."""
        domain = values["domainName"]
        known = {each.domain_name for each in self.mailboxes} | {name for name, _ in self.aliases}
        if domain not in known:
            return thrown("Domain not found.")
        return [
            {"EmailAddress": f"{alias}@{domain}", "Addresses": addresses}
            for (name, alias), addresses in self.aliases.items()
            if name == domain
        ]


def _alias_of(values: Values) -> tuple[str, str]:
    return values["domainName"], values["aliasName"]


def _missing(values: Values, *names: str) -> Fault | None:
    """The fault for the first of the parameters that is null."""
    absent = next((name for name in names if values[name] is None), None)
    return None if absent is None else thrown(f"{absent} is missing.")

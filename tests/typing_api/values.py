"""What callers receive, and the rules that they can replace."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import assert_type
from uuid import UUID

from dasp_async import BandwidthUsage, FaultRules, JobRules, JobState, JobStatus, Outcome, SmAlias
from dasp_async.testing import JobRecord


def status(status: JobStatus) -> None:
    """What is known of a job."""
    assert_type(status.job_id, UUID)
    assert_type(status.job_name, str | None)
    assert_type(status.status, str | None)
    assert_type(status.start_date_time, datetime | None)
    assert_type(status.completed_date_time, datetime | None)
    assert_type(status.error_message, str | None)
    assert_type(status.seen_at, float)
    assert_type(status.state, JobState)
    assert_type(status.is_final, bool)
    assert_type(status.is_blank, bool)


def results(usage: BandwidthUsage, alias: SmAlias) -> None:
    """What the other operations answer."""
    assert_type(usage.use_date, datetime | date | str | None)
    assert_type(usage.quantity, int | float | Decimal | str | None)
    assert_type(alias.email_address, str | None)
    assert_type(alias.addresses, tuple[str, ...])


def made_up() -> None:
    """What tests of one's own make."""
    made = JobStatus(job_id=UUID(int=1), state=JobState.DONE)
    assert_type(Outcome(job_id=made.job_id, status=made), Outcome)
    BandwidthUsage(date(2026, 3, 1), 17)
    SmAlias("info@example.com", ("jane@example.com",))


def rules(record: JobRecord) -> None:
    """What words mean."""
    job_rules = JobRules(
        done_words=frozenset({"Ready"}),
        failed_words=frozenset({"Broken"}),
        unset_through=date(1900, 1, 1),
        unset_from=date(9999, 1, 1),
    )
    assert_type(job_rules.done_words, frozenset[str])
    assert_type(job_rules.failed_words, frozenset[str])
    assert_type(job_rules.unset_through, date)
    assert_type(job_rules.unset_from, date)
    assert_type(job_rules.read(record, job_id=UUID(int=1), seen_at=0), JobStatus)
    fault_rules = FaultRules(
        too_often=frozenset({"slower"}), account=frozenset({"key"}), unknown_job=frozenset({"job"})
    )
    assert_type(fault_rules.too_often, frozenset[str])
    assert_type(fault_rules.account, frozenset[str])
    assert_type(fault_rules.unknown_job, frozenset[str])
    assert_type(fault_rules.is_too_often("reason"), bool)
    assert_type(fault_rules.is_account("reason"), bool)
    assert_type(fault_rules.is_unknown_job("reason"), bool)

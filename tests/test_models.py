"""What callers receive cannot change and can be pickled, and the rules read a job's state."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dasp_async.models import (
    DONE_WORDS,
    FAILED_WORDS,
    FaultRules,
    JobRecord,
    JobRules,
    JobState,
    JobStatus,
)

RUNNING, DONE, FAILED = JobState.RUNNING, JobState.DONE, JobState.FAILED
JOB_ID = UUID(int=7)


def at(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def read(
    rules: JobRules | None = None,
    *,
    status: str | None = None,
    completed: str | None = None,
    error: str | None = None,
    start: str | None = None,
) -> JobStatus:
    record = JobRecord("a name", status, at(start), at(completed), error)
    return (rules or JobRules()).read(record, job_id=JOB_ID, seen_at=12.5)


# --- the state of a job

UNSET, END = "0001-01-01T00:00:00", "2026-03-14T09:31:07"

STATES = [
    # status, completed, error message, state
    (None, None, None, RUNNING),
    ("", UNSET, None, RUNNING),
    ("Running", UNSET, None, RUNNING),
    ("Pending", None, "", RUNNING),
    # an unknown word decides nothing
    ("Queued", UNSET, "an error that did not end it", RUNNING),
    ("Queued", END, None, DONE),
    (None, END, None, DONE),
    # a known word needs no date
    ("Completed", None, None, DONE),
    ("Completed", UNSET, "", DONE),
    ("Completed", END, "", DONE),
    ("Failed", None, None, FAILED),
    ("Failed", END, "", FAILED),
    # case and blanks do not matter, parts of words do
    ("  cOmPlEtEd\t\n", None, None, DONE),
    ("\nABORTED ", None, None, FAILED),
    ("Completed with warnings", None, None, RUNNING),
    ("Uncompleted", None, None, RUNNING),
    # an error message counts once the job is over, unless it is blank
    ("Completed", END, "disk full", FAILED),
    ("Completed", None, "disk full", FAILED),
    ("Queued", END, "disk full", FAILED),
    ("Completed", END, " \r\n\t", DONE),
    ("Completed", END, "\xa0", DONE),
    # the last year means nothing by itself
    ("Running", "9999-12-31T23:59:59.999999", None, RUNNING),
    ("Running", "9999-01-01T00:00:00", None, RUNNING),
    ("Running", "9998-12-31T23:59:59", None, DONE),
    ("Running", "9999-12-31T23:59:59", "disk full", RUNNING),
    ("Completed", "9999-12-31T23:59:59", None, DONE),
    ("Failed", "9999-12-31T23:59:59", None, FAILED),
]


@pytest.mark.parametrize(("status", "completed", "error", "state"), STATES)
def test_the_state_follows_from_the_record(
    status: str | None, completed: str | None, error: str | None, state: JobState
) -> None:
    job = read(status=status, completed=completed, error=error)
    assert job.state is state
    assert job.is_final is (state is not RUNNING)
    # The texts stay as they were sent.
    assert (job.status, job.error_message) == (status, error)


@pytest.mark.parametrize("word", sorted(DONE_WORDS | FAILED_WORDS))
def test_each_word_ends_a_job(word: str) -> None:
    expected = DONE if word in DONE_WORDS else FAILED
    for spelling in (word, word.upper(), word.title(), f" {word} "):
        assert read(status=spelling).state is expected


DATES = [
    # as sent, whether it is set
    (UNSET, False),
    ("0001-01-01T00:00:00+00:00", False),
    ("0001-01-01T00:00:00+14:00", False),
    ("0001-01-01T00:00:00-07:53", False),
    ("1753-01-01T00:00:00", False),
    ("1899-12-30T00:00:00", False),
    ("1900-01-01T00:00:00", False),
    ("1900-01-01T23:59:59.999999", False),
    ("1900-01-01T23:59:59-14:00", False),
    ("1900-01-01T00:00:00+14:00", False),
    ("1900-01-02T00:00:00", True),
    ("1900-01-02T00:00:00+14:00", True),
    ("1970-01-01T00:00:00+00:00", True),
    (END, True),
    ("9999-12-31T23:59:59.999999-14:00", True),
]


@pytest.mark.parametrize(("text", "is_set"), DATES)
def test_a_date_that_means_nothing_becomes_none(text: str, is_set: bool) -> None:
    job = read(status="Running", start=text, completed=text)
    expected = at(text) if is_set else None
    assert job.start_date_time == job.completed_date_time == expected


def test_a_start_ends_nothing() -> None:
    assert read(status="Running", start=END).state is RUNNING


def test_the_rest_is_taken_over() -> None:
    assert read(status="Completed", start=END, completed=END, error="") == JobStatus(
        job_id=JOB_ID,
        job_name="a name",
        status="Completed",
        start_date_time=at(END),
        completed_date_time=at(END),
        error_message="",
        seen_at=12.5,
        state=DONE,
    )


def test_words_can_be_replaced() -> None:
    rules = JobRules(done_words=frozenset({" Fertig\n"}), failed_words=frozenset({"KAPUTT"}))
    expected = {
        "fertig": DONE,
        "FERTIG ": DONE,
        "kaputt": FAILED,
        "Completed": RUNNING,
        "Failed": RUNNING,
    }
    assert {word: read(rules, status=word).state for word in expected} == expected


def test_case_is_folded_as_unicode_folds_it() -> None:
    rules = JobRules(done_words=frozenset({"GROSS"}))
    assert read(rules, status="groß").state is DONE


def test_any_collection_of_words_will_do() -> None:
    words: Any = ["Fertig", "fertig"]
    assert JobRules(done_words=words) == JobRules(done_words=frozenset({"fertig"}))


def test_a_failed_word_goes_before_a_done_word() -> None:
    both = frozenset({"ended"})
    assert read(JobRules(done_words=both, failed_words=both), status="Ended").state is FAILED


def test_the_unset_dates_can_be_replaced() -> None:
    rules = JobRules(unset_through=date(1970, 1, 1), unset_from=date(2079, 6, 6))
    assert read(rules, completed="1970-01-01T12:00:00").completed_date_time is None
    assert read(rules, completed="1970-01-02T00:00:00").state is DONE
    assert read(rules, completed="2079-06-05T23:59:59").state is DONE
    late = read(rules, completed="2079-06-06T00:00:00")
    assert (late.state, late.completed_date_time) == (RUNNING, at("2079-06-06T00:00:00"))


WRONG_WORDS = [
    ("completed", TypeError, "must be a set of words, not str"),
    (None, TypeError, "must be a set of words, not NoneType"),
    ({"done", 1}, TypeError, "must hold text, not int"),
    ({"done", " "}, ValueError, "must not hold a blank word"),
]


@pytest.mark.parametrize("name", ["unset_through", "unset_from"])
@pytest.mark.parametrize("day", [datetime(1970, 1, 1), "1970-01-01", None])  # noqa: DTZ001 - test data
def test_what_is_no_date_is_refused(name: str, day: Any) -> None:
    rules: dict[str, Any] = {name: day}
    with pytest.raises(TypeError, match=f"^{name} must be a date, not "):
        JobRules(**rules)


@pytest.mark.parametrize("name", ["done_words", "failed_words"])
@pytest.mark.parametrize(("words", "kind", "message"), WRONG_WORDS)
def test_what_is_no_set_of_words_is_refused(
    name: str, words: Any, kind: type[Exception], message: str
) -> None:
    rules: dict[str, Any] = {name: words}
    with pytest.raises(kind, match=f"^{name} {message}"):
        JobRules(**rules)


@settings(deadline=None)
@given(
    status=st.none() | st.text(),
    error=st.none() | st.text(),
    moment=st.none() | st.datetimes(),
    offset=st.none() | st.integers(-14 * 60, 14 * 60),
)
def test_any_record_has_a_state(
    status: str | None, error: str | None, moment: datetime | None, offset: int | None
) -> None:
    if moment is not None and offset is not None:
        moment = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    record = JobRecord("a name", status, moment, moment, error)
    job = JobRules().read(record, job_id=JOB_ID, seen_at=0.0)
    assert job.completed_date_time is None or job.completed_date_time == moment
    if job.state is DONE:
        assert not (error or "").strip()


# --- a blank answer

BLANKS = [None, "", " ", "\t\r\n", "\xa0\u2003"]


def test_no_text_and_no_date_is_blank() -> None:
    for texts in itertools.product(BLANKS, repeat=3):
        job = JobStatus(job_id=JOB_ID, job_name=texts[0], status=texts[1], error_message=texts[2])
        assert job.is_blank


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("job_name", "x"),
        ("status", " x "),
        ("error_message", "x"),
        ("start_date_time", at(END)),
        ("completed_date_time", at(END)),
    ],
)
def test_one_text_or_date_is_not_blank(field: str, value: object) -> None:
    given_one: Any = {field: value}
    assert not JobStatus(job_id=JOB_ID, **given_one).is_blank


# --- the words of faults

REASONS = [
    ("You are calling this method too often.", True),
    ("Server was unable to process request. ---> TOO OFTEN", True),
    ("Too many requests", True),
    ("Daily limit of 1000 calls reached", True),
    ("Rate limit exceeded", True),
    ("", False),
    ("Invalid API key.", False),
    ("Job not found.", False),
    ("too  often", False),
]


@pytest.mark.parametrize(("reason", "expected"), REASONS)
def test_a_reason_may_ask_for_fewer_calls(reason: str, expected: bool) -> None:
    assert FaultRules().is_too_often(reason) is expected


def test_the_words_of_faults_can_be_replaced() -> None:
    rules = FaultRules(too_often=frozenset({" Zu OFT "}))
    assert rules.is_too_often("Sie fragen zu oft.")
    assert not rules.is_too_often("too often")
    assert not FaultRules(too_often=frozenset()).is_too_often("too often")


@pytest.mark.parametrize(("words", "kind", "message"), WRONG_WORDS)
def test_what_is_no_set_of_words_of_faults_is_refused(
    words: Any, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=f"^too_often {message}"):
        FaultRules(too_often=words)


# --- all of them

MODELS = [
    JobRecord("n", "s", at(UNSET), datetime(2026, 1, 1, tzinfo=UTC), ""),
    JobStatus(job_id=JOB_ID, status="Done", completed_date_time=at(END), state=DONE),
    JobRules(done_words=frozenset({"fertig"}), unset_through=date(1970, 1, 1)),
    FaultRules(too_often=frozenset({"zu oft"})),
]
EACH_MODEL = pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)


@EACH_MODEL
def test_a_model_can_be_pickled_and_copied(model: Any) -> None:
    twins = [
        pickle.loads(pickle.dumps(model, protocol))  # noqa: S301 - our own
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ]
    for twin in (*twins, copy.copy(model), copy.deepcopy(model)):
        assert twin == model
        assert hash(twin) == hash(model)


@EACH_MODEL
def test_a_model_cannot_change(model: Any) -> None:
    for field in dataclasses.fields(model):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(model, field.name, None)
    assert not hasattr(model, "__dict__")


def test_a_state_survives_pickling() -> None:
    for state in JobState:
        assert pickle.loads(pickle.dumps(state)) is state  # noqa: S301 - our own


def test_a_status_names_its_fields() -> None:
    positional: Any = JobStatus
    with pytest.raises(TypeError):
        positional(JOB_ID, "name")

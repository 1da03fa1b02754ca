"""The parts of a call: `pytest tests/bench/micro.py`, with pytest-benchmark of the extra `bench`.

Each beside what else could do it.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from lxml import etree

from dasp_async.envelope import render
from dasp_async.messages import HttpAnswer
from dasp_async.operations import GET_JOB_STATUS
from dasp_async.response import read_answer
from dasp_async.secret import Mask, Secret
from dasp_async.soap import SoapVersion
from dasp_async.xsd import DATE_TIME
from tests.servers import COMPLETED, SOAP_1_1

KEY: Final = Secret("a-key-of-some-length")
JOB: Final = UUID(int=1)
DATE: Final = "2026-03-14T09:26:53.1234567-07:00"


def test_render(benchmark: Any) -> None:
    request = benchmark(render, GET_JOB_STATUS, SoapVersion.SOAP_1_1, (KEY, JOB))
    assert str(JOB).encode() in request.body


def test_read(benchmark: Any) -> None:
    answer, mask = HttpAnswer(200, SOAP_1_1, body=COMPLETED), Mask(KEY)
    record = benchmark(lambda: read_answer(GET_JOB_STATUS, answer, mask=mask, now=0.0))
    assert record.status == "Completed"


def test_bare_lxml(benchmark: Any) -> None:
    assert benchmark(etree.fromstring, COMPLETED) is not None


def test_read_a_date(benchmark: Any) -> None:
    assert benchmark(DATE_TIME.from_text, DATE).microsecond == 123456

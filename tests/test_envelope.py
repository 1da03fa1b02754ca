"""A request is the help page's sample to the letter, whatever its values hold."""

from __future__ import annotations

import pickle
import re
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import FrameType
from uuid import UUID
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from dasp_async.envelope import Written, render
from dasp_async.messages import HttpAnswer, HttpRequest
from dasp_async.operations import (
    ENDPOINT,
    GET_JOB_STATUS,
    KEY,
    NAMESPACE,
    Nothing,
    Operation,
)
from dasp_async.secret import Secret
from dasp_async.soap import SoapVersion
from dasp_async.xsd import STRING, Element
from tests import samples

SOAP_11, SOAP_12 = SoapVersion.SOAP_1_1, SoapVersion.SOAP_1_2
VERSIONS = pytest.mark.parametrize("version", SoapVersion)
JOB_ID = "01234567-89ab-cdef-0123-456789abcdef"

# Production [2] Char of XML 1.0
XML_TEXT = st.text(
    st.one_of(
        st.sampled_from("\t\n\r <>&\"']"),
        st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]).filter(
            lambda c: c not in "\ufffe\uffff"
        ),
        st.characters(min_codepoint=0x7F, max_codepoint=0x9F),
    )
)
NOT_XML = [
    chr(code)
    for code in (*range(0x20), 0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0xFFFE, 0xFFFF)
    if chr(code) not in "\t\n\r"
]


@dataclass(frozen=True)
class PageSample:
    """A sample request of the help page."""

    request_line: str
    headers: dict[str, str]
    body: str


def page_sample(version: SoapVersion) -> PageSample:
    page = samples.HELP_PAGE.read_text(encoding="utf-8")
    section = page.split(f"\nSOAP {version.value}\n")[1]
    head, _, rest = section[section.index("POST ") :].partition("\n\n")
    request_line, *headers = head.split("\n")
    return PageSample(
        request_line,
        dict(line.split(": ", 1) for line in headers),
        rest[: rest.index("HTTP/1.1 200 OK")].rstrip("\n"),
    )


def parameters(request: HttpRequest) -> list[str]:
    """The texts of the parameters, as two parsers that share no code read them."""
    read_by_lxml = [child.text or "" for child in etree.fromstring(request.body)[0][0]]
    read_by_expat = [child.text or "" for child in ET.fromstring(request.body)[0][0]]  # noqa: S314 - our own
    assert read_by_lxml == read_by_expat
    return read_by_lxml


# --- the sample of the help page


@VERSIONS
def test_the_body_is_the_help_pages_sample(version: SoapVersion) -> None:
    sample = page_sample(version).body
    expected = sample.replace(">string<", ">my &amp; key<").replace(">guid<", f">{JOB_ID}<")
    assert expected.count(JOB_ID) == expected.count("my &amp; key") == 1

    body = render(GET_JOB_STATUS, version, (Secret("my & key"), JOB_ID)).body

    assert etree.canonicalize(body.decode()) == etree.canonicalize(expected)
    assert body.decode().splitlines() == expected.splitlines()


@VERSIONS
def test_the_headers_are_the_help_pages(version: SoapVersion) -> None:
    expected = page_sample(version).headers
    # These two belong to the HTTP library.
    del expected["Host"], expected["Content-Length"]
    assert dict(render(GET_JOB_STATUS, version, ("key", JOB_ID)).headers) == expected


def test_only_soap_11_has_an_action_and_its_quotes() -> None:
    action = '"http://api.discountasp.net/GetJobStatus"'
    assert render(GET_JOB_STATUS, SOAP_11, ("k", JOB_ID)).headers["SOAPAction"] == action
    assert "SOAPAction" not in render(GET_JOB_STATUS, SOAP_12, ("k", JOB_ID)).headers


@VERSIONS
def test_the_endpoint_is_the_help_pages(version: SoapVersion) -> None:
    sample = page_sample(version)
    path = sample.request_line.split()[1]
    assert f"https://{sample.headers['Host']}{path}" == ENDPOINT


@VERSIONS
def test_the_body_is_what_the_captured_server_was_sent(version: SoapVersion) -> None:
    folder = "soap11" if version is SOAP_11 else "soap12"
    sent = samples.load(f"{folder}/completed")
    request = render(
        GET_JOB_STATUS, version, ("test-key", UUID("00000000-0000-0000-0000-000000000001"))
    )
    assert request.body == sent.request_body
    for name, value in request.headers.items():
        assert sent.request_headers[name.lower()] == value


# --- values


def test_a_secret_written_once_stands_in_every_request() -> None:
    written = Written.of(KEY, Secret("my & key"))
    assert "key" not in repr(written)
    for version in SoapVersion:
        body = render(GET_JOB_STATUS, version, (Secret("my & key"), JOB_ID)).body
        assert render(GET_JOB_STATUS, version, (written, JOB_ID)).body == body


@settings(deadline=None)
@given(key=XML_TEXT, version=st.sampled_from(SoapVersion))
def test_any_text_xml_can_carry_arrives_unharmed(key: str, version: SoapVersion) -> None:
    for argument in (key, Secret(key)):
        assert parameters(render(GET_JOB_STATUS, version, (argument, JOB_ID))) == [key, JOB_ID]


@pytest.mark.parametrize(
    "key",
    [
        "",
        " blanks at both ends ",
        "\ttab\t",
        "line\nline\n",
        "line\r\nline\r",
        "<b>&amp;</b>",
        "]]>",
        "<![CDATA[x]]>",
        "<!-- x -->",
        "<?x?>",
        "日本語 שלום",
        "👨\u200d👩\u200d👧 \U0010ffff",
        "\x7f\x85\x9f\xa0\u2028\ufeff\ufffd",
        "&#x1;",
    ],
)
@VERSIONS
def test_a_key_arrives_unharmed(key: str, version: SoapVersion) -> None:
    assert parameters(render(GET_JOB_STATUS, version, (key, JOB_ID))) == [key, JOB_ID]


@pytest.mark.parametrize("character", NOT_XML, ids=[f"U+{ord(c):04X}" for c in NOT_XML])
@VERSIONS
def test_what_xml_cannot_carry_is_a_value_error(character: str, version: SoapVersion) -> None:
    key = f"my-secret-{character}-key"
    with pytest.raises(ValueError, match=r"^key ") as caught:
        render(GET_JOB_STATUS, version, (Secret(key), JOB_ID))
    assert f"U+{ord(character):04X} at position 10" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("job_id", "complaint"),
    [
        ("my-secret-job", "jobId must be a uuid.UUID or text that UUID reads"),
        ("", "jobId must be a uuid.UUID or text that UUID reads"),
        (7, "jobId must be a uuid.UUID or text that UUID reads"),
        (None, "jobId must be a uuid.UUID or text that UUID reads"),
        (UUID(int=0), "jobId must not be the nil UUID"),
        ("00000000-0000-0000-0000-000000000000", "jobId must not be the nil UUID"),
    ],
)
def test_a_job_id_that_is_none_is_a_value_error(job_id: object, complaint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(complaint)) as caught:
        render(GET_JOB_STATUS, SOAP_11, ("key", job_id))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("key", [None, 7, b"my-secret-key", ["my-secret-key"]])
def test_a_key_that_is_no_text_is_a_value_error(key: object) -> None:
    with pytest.raises(ValueError, match=r"^key must be text, not ") as caught:
        render(GET_JOB_STATUS, SOAP_11, (key, JOB_ID))
    assert "secret" not in str(caught.value)


def frames_below(error: BaseException | None, test: str) -> Iterator[FrameType]:
    """The frames that an error holds on to, those of the errors linked to it included."""
    while error is not None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if frame.f_code.co_name != test:
                yield frame
        error = error.__cause__ or error.__context__


def in_a_request(key: Secret) -> HttpRequest:
    return render(GET_JOB_STATUS, SOAP_11, (key, JOB_ID))


@pytest.mark.parametrize("write", [in_a_request, partial(Written.of, KEY)])
def test_an_error_holds_no_frame_that_shows_the_key(write: Callable[[Secret], object]) -> None:
    with pytest.raises(ValueError, match=r"^key ") as caught:
        write(Secret("my-secret-\0-key"))
    here = test_an_error_holds_no_frame_that_shows_the_key.__name__
    frames = list(frames_below(caught.value, here))
    assert frames
    assert not [frame for frame in frames if "my-secret" in repr(frame.f_locals)]


@pytest.mark.parametrize("arguments", [(), ("key",), ("key", JOB_ID, "more")])
def test_there_is_one_argument_a_parameter(arguments: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match="argument"):
        render(GET_JOB_STATUS, SOAP_11, arguments)


@pytest.mark.parametrize(
    "spelling",
    [
        UUID(JOB_ID),
        JOB_ID,
        JOB_ID.upper(),
        JOB_ID.replace("-", ""),
        f"{{{JOB_ID}}}",
        f"urn:uuid:{JOB_ID}",
    ],
)
def test_a_job_id_is_written_as_dot_net_writes_it(spelling: object) -> None:
    assert parameters(render(GET_JOB_STATUS, SOAP_12, ("k", spelling)))[1] == JOB_ID


def test_text_is_sent_in_utf_8() -> None:
    assert "日本🚀".encode() in render(GET_JOB_STATUS, SOAP_11, ("日本🚀", JOB_ID)).body


# --- templates


@VERSIONS
def test_calls_do_not_influence_each_other(version: SoapVersion) -> None:
    def render_one() -> HttpRequest:
        return render(GET_JOB_STATUS, version, ("first", UUID(int=1)))

    first = render_one()
    other = render(GET_JOB_STATUS, version, ("second & longer", UUID(int=2)))
    with pytest.raises(ValueError, match=r"^jobId "):
        render(GET_JOB_STATUS, version, ("half written", "no guid"))

    again = render_one()
    assert (again.headers, again.body) == (first.headers, first.body)
    assert parameters(other) == ["second & longer", str(UUID(int=2))]
    assert b"first" not in other.body


def test_the_headers_are_read_only() -> None:
    headers = render(GET_JOB_STATUS, SOAP_11, ("key", JOB_ID)).headers
    with pytest.raises(TypeError):
        headers["Content-Type"] = "text/plain"  # type: ignore[index]  # pyright: ignore[reportIndexIssue]


def test_threads_do_not_influence_each_other() -> None:
    def render_one(number: int) -> list[str]:
        version = SOAP_11 if number % 2 else SOAP_12
        return parameters(render(GET_JOB_STATUS, version, (f"key {number}", UUID(int=number))))

    numbers = range(1, 2001)
    with ThreadPoolExecutor(16) as pool:
        rendered = list(pool.map(render_one, numbers))
    assert rendered == [[f"key {number}", str(UUID(int=number))] for number in numbers]


@VERSIONS
def test_another_operation_is_another_row_of_data(version: SoapVersion) -> None:
    operation: Operation[dict[str, object]] = Operation(
        "SMAddAlias", (KEY, Element("domainName", STRING)), Nothing(), writes=True
    )
    request = render(operation, version, ("key", "example.com"))
    call = etree.fromstring(request.body)[0][0]
    assert request.operation == "SMAddAlias"
    assert [element.tag for element in call.iter()] == [
        f"{{{NAMESPACE}}}{name}" for name in ("SMAddAlias", "key", "domainName")
    ]
    if version is SOAP_11:
        assert request.headers["SOAPAction"] == f'"{NAMESPACE}SMAddAlias"'


# --- messages and versions


def test_neither_message_shows_its_body() -> None:
    request = render(GET_JOB_STATUS, SOAP_11, ("my-secret-key", JOB_ID))
    answer = HttpAnswer(200, "text/xml", body=b"my-secret-key")
    assert b"my-secret-key" in request.body
    for message in (request, answer):
        assert "secret" not in repr(message) + str(message)


@pytest.mark.parametrize(
    ("number", "version", "namespace"),
    [
        ("1.1", SOAP_11, "http://schemas.xmlsoap.org/soap/envelope/"),
        ("1.2", SOAP_12, "http://www.w3.org/2003/05/soap-envelope"),
    ],
)
def test_a_version_is_found_by_its_number(
    number: str, version: SoapVersion, namespace: str
) -> None:
    assert SoapVersion(number) is version
    assert pickle.loads(pickle.dumps(version)) is version  # noqa: S301 - our own
    assert version.namespace == namespace


def test_there_is_no_other_version() -> None:
    with pytest.raises(ValueError, match=re.escape("'1.0' is not a valid SoapVersion")):
        SoapVersion("1.0")

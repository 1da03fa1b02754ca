"""Where the key may be sent."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

# Blanks and controls, which `urlsplit` lets pass, and what browsers take for a slash
_NOT_URL: Final = re.compile(r"[\s\x00-\x1f\x7f\\]")


def problem_with_endpoint(  # noqa: PLR0911 - a return for each reason
    endpoint: object, *, allow_http: object
) -> TypeError | ValueError | None:
    """Why the key must not be sent there; None if it may.

    Returned, since the frames of a raised error would hold a password in the URL.
    """
    if not isinstance(allow_http, bool):
        return TypeError(f"allow_http must be a bool, not {type(allow_http).__name__}")
    if not isinstance(endpoint, str):
        return TypeError(f"endpoint must be text, not {type(endpoint).__name__}")
    try:
        parts = urlsplit(endpoint)
        host, _ = parts.hostname, parts.port
    except ValueError:
        # What `urlsplit` says may quote a password.
        return ValueError("endpoint is not a URL: its host or port can't be read")
    if parts.scheme not in {"http", "https"} or not host or _NOT_URL.search(endpoint):
        return ValueError(
            "endpoint must be a URL like https://api.discountasp.net/1.0/customerapi.asmx"
        )
    if "@" in parts.netloc:
        return ValueError("endpoint must not hold a user name or password")
    if parts.scheme == "http" and not allow_http and not _is_loopback(host):
        return ValueError(
            "endpoint must be https, since each request carries the key; http is for loopback, "
            "or say allow_http=True"
        )
    return None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

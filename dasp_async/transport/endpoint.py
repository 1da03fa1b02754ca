"""Where the key may be sent."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

# Blanks and controls, which `urlsplit` lets pass, and what browsers take for a slash
_NOT_URL: Final = re.compile(r"[\s\x00-\x1f\x7f\\]")


def checked(endpoint: object, *, allow_http: bool) -> SplitResult:
    """The endpoint's parts; raises `ValueError` if the key must not be sent there."""
    if not isinstance(endpoint, str):
        raise TypeError(f"endpoint must be text, not {type(endpoint).__name__}")
    try:
        parts = urlsplit(endpoint)
        host, _ = parts.hostname, parts.port
    except ValueError:
        # What `urlsplit` says may quote a password.
        raise ValueError("endpoint is not a URL: its host or port can't be read") from None
    if parts.scheme not in {"http", "https"} or not host or _NOT_URL.search(endpoint):
        raise ValueError(
            "endpoint must be a URL like https://api.discountasp.net/1.0/customerapi.asmx"
        )
    if "@" in parts.netloc:
        raise ValueError("endpoint must not hold a user name or password")
    if parts.scheme == "http" and not allow_http and not _is_loopback(host):
        raise ValueError(
            "endpoint must be https, since each request carries the key; http is for loopback, "
            "or say allow_http=True"
        )
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

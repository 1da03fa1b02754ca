"""Bytes as XSD writes them."""

from __future__ import annotations

import base64


def base64_to_text(value: object) -> str:
    """Bytes in base64."""
    return base64.b64encode(_bytes(value)).decode()


def hex_to_text(value: object) -> str:
    """Bytes in hexadecimal digits."""
    return _bytes(value).hex().upper()


def base64_from_text(text: str) -> bytes:
    """Bytes in base64, broken into lines or not. Raises `ValueError`."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        raise ValueError("is not base64") from None


def hex_from_text(text: str) -> bytes:
    """Bytes in hexadecimal digits. Raises `ValueError`."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError("is not hexadecimal") from None


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError(f"must be bytes, not {type(value).__name__}")  # noqa: TRY004 - one kind for all
    return value

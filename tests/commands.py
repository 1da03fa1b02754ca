"""A fake service on a real socket, and the `dasp` command that talks to it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from typer.testing import CliRunner, Result

from dasp_async.cli import app
from dasp_async.cli.fake import serving
from dasp_async.testing import FakeCustomerApi

KEY: Final = "test-key"


@dataclass
class Service:
    """A fake service, where it answers, and the command that talks to it."""

    fake: FakeCustomerApi
    endpoint: str

    @property
    def environment(self) -> dict[str, str]:
        """What the command finds there."""
        return {"DASP_API_KEY": KEY, "DASP_ENDPOINT": self.endpoint}

    def dasp(self, *words: object, typed: str | None = None, **environment: str) -> Result:
        """The command run with these words; `typed` is what a person types."""
        arguments = [str(word) for word in words]
        variables = {**self.environment, **environment}
        return CliRunner().invoke(app, arguments, input=typed, env=variables)


class OtherWsdl(FakeCustomerApi):
    """A fake whose address answers this to `?WSDL`."""

    wsdl: bytes = b""
    content_type: str = "text/xml; charset=utf-8"
    status: int = 200

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["method"] == "GET":
            headers = [(b"content-type", self.content_type.encode())]
            await send({"type": "http.response.start", "status": self.status, "headers": headers})
            await send({"type": "http.response.body", "body": self.wsdl})
        else:
            await super().__call__(scope, receive, send)


@contextmanager
def served(fake: FakeCustomerApi) -> Generator[Service]:
    """A fake service that takes the key `KEY`."""
    with serving(fake) as endpoint:
        yield Service(fake, endpoint)

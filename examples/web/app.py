"""Backups in a web application: FastAPI starts them, waits for them, and shows how they stand.

In this folder, with the API key in DASP_API_KEY:

    pip install "fastapi>=0.135" uvicorn dasp_async
    uvicorn app:app

and open http://127.0.0.1:8000. To try it without an account, let `dasp serve` play the service: it
prints what to set. What was started, and the calls of the day, are in the folder DASP_DATA, `data`
if that is not set: stopped or killed at any moment and started again, it goes on where it was.

Run one process (no `--workers`), since each would wait for all jobs. The calls would be counted
right even so, all in one file. For more, let a program of its own do the waiting: ../worker.py.
"""

from __future__ import annotations

import asyncio
import math
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import anyio
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from fastapi.staticfiles import StaticFiles
from jobs import Backups, kept, may_have_begun
from pydantic import BaseModel, StringConstraints
from starlette.middleware.trustedhost import TrustedHostMiddleware

from dasp_async import (
    AttemptTimeout,
    BudgetExhausted,
    CallRefused,
    CustomerApi,
    DaspError,
    SqliteBudget,
)

# The page loads its own files and nothing else, and no other page may frame it.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
# What a start that failed is answered with; for an error of another kind, 502
STATUSES: dict[type, int] = {BudgetExhausted: 429, CallRefused: 503, AttemptTimeout: 504}


class Wanted(BaseModel):
    """A backup to start. The name is that of an SQL Server database, and fits into XML."""

    database: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=128, pattern=r"^\P{C}+$"),
    ]


class Started(BaseModel):
    """The job that makes the backup."""

    job_id: UUID


@contextmanager
def told_of_the_end(tell: Callable[[], None]) -> Generator[None]:
    """Call `tell` when a signal asks the server to stop.

    uvicorn waits for open streams before it ends the lifespan, so that would be too late.
    """
    loop = asyncio.get_running_loop()

    def handle(number: int, frame: Any) -> None:
        loop.call_soon_threadsafe(tell)
        handler = handlers[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    handlers = {name: signal.signal(name, handle) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for name, handler in handlers.items():
            signal.signal(name, handler)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[dict[str, Backups]]:
    """One client for all requests, from the start of the server to its end."""
    folder = Path(os.environ.get("DASP_DATA") or "data")
    await anyio.Path(folder).mkdir(parents=True, exist_ok=True)
    # Waits leave the last calls of a day to those who start a backup.
    budget = SqliteBudget(folder / "calls.sqlite", reserve=20)
    async with (
        CustomerApi.from_env(budget=budget) as api,
        kept(api, budget, folder / "backups.sqlite") as backups,
    ):
        with told_of_the_end(backups.end_pages):
            yield {"backups": backups}


def of_lifespan(request: Request) -> Backups:
    """The backups that the lifespan keeps."""
    backups: Backups = request.state.backups
    return backups


Kept = Annotated[Backups, Depends(of_lifespan)]
# FastAPI's own pages of documentation load scripts from elsewhere.
app = FastAPI(title="Backups", lifespan=lifespan, docs_url=None, redoc_url=None)
# There is no log-in here, so it is for the browser of this machine; before others may reach it,
# put your own in front. Under a name that a stranger points here it does not answer.
app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])


@app.post("/backups", status_code=202)
async def start(wanted: Wanted, backups: Kept) -> Started:
    """Start a backup, and answer as soon as the service has told its job.

    It takes JSON alone, which a page of another site can't send without being asked first.
    """
    return Started(job_id=await backups.start(wanted.database))


@app.get("/events", response_class=EventSourceResponse)
async def events(backups: Kept) -> AsyncIterable[ServerSentEvent]:
    """The whole page as data, now and at each change: who connects anew has missed nothing."""
    async for page in backups.pages():
        yield ServerSentEvent(data=page, retry=1000)


@app.exception_handler(DaspError)
async def refused(_: Request, error: DaspError) -> Response:
    """What a start that failed is answered with; an error's text never holds the key."""
    maybe = may_have_begun(error)
    again = {} if error.retry_after is None else {"Retry-After": f"{math.ceil(error.retry_after)}"}
    return problem(
        next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), 502),
        "The backup may have been started" if maybe else "The backup was not started",
        str(error),
        again,
        maybe_started=maybe,
    )


@app.exception_handler(RequestValidationError)
async def invalid(_: Request, __: RequestValidationError) -> Response:
    """A request that is wrong; without what it held, which may be no text at all."""
    return problem(
        422,
        "That is no name of a database",
        'Send JSON like {"database": "shop"}; a name has 1 to 128 characters, all of them visible.',
    )


def problem(
    status: int, title: str, detail: str, headers: dict[str, str] | None = None, **more: object
) -> Response:
    """A problem as RFC 9457 has it."""
    return JSONResponse(
        {"title": title, "status": status, "detail": detail, **more},
        status,
        headers,
        media_type="application/problem+json",
    )


class Files(StaticFiles):
    """The page and its files, with the headers that keep strangers out."""

    def file_response(self, *args: Any, **keywords: Any) -> Response:
        """A file's answer."""
        response = super().file_response(*args, **keywords)
        response.headers.update(HEADERS)
        return response


app.mount("/", Files(directory=Path(__file__).parent / "static", html=True))

"""The `dasp` command: look at jobs, wait for them, and try it all on a fake service."""

from __future__ import annotations

from dasp_async.cli.commands import app
from dasp_async.cli.ending import ended_by

__all__ = ["app", "ended_by"]

"""The `dasp` command, which says what to install if its extra is missing."""

from __future__ import annotations

import io
import sys

_USAGE = 2  # `ExitCode.USAGE`, which is not to be had without the extra


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A letter that the terminal lacks is no reason to fail.
            stream.reconfigure(errors="backslashreplace")
    try:
        from dasp_async.cli import app, ended_by  # noqa: PLC0415 - what the extra brings may be missing
    except ModuleNotFoundError as error:
        print(f"dasp needs {error.name}: pip install 'dasp_async[cli]'", file=sys.stderr)  # noqa: T201
        sys.exit(_USAGE)
    try:
        app(prog_name="dasp")
    except SystemExit as ended:
        # Typer and rich end with 1, "a job failed", where nobody reads what they write.
        if isinstance(ended.__context__, BrokenPipeError):
            sys.exit(ended_by(ended.__context__))
        raise
    except Exception as error:  # noqa: BLE001 - for any, 1 would say that a job failed
        sys.exit(ended_by(error))


if __name__ == "__main__":
    main()

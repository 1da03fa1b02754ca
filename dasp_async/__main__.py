"""The `dasp` command, which says what to install if its extra is missing."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    try:
        from dasp_async.cli import app  # noqa: PLC0415 - what the extra brings may be missing
    except ModuleNotFoundError as error:
        sys.exit(f"dasp needs {error.name}: pip install 'dasp_async[cli]'")
    app(prog_name="dasp")


if __name__ == "__main__":
    main()

"""The public types, pinned for type checkers; never run. Three checkers must agree on each line."""

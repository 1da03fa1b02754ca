"""The tests: behaviour through the public face, or on bytes."""

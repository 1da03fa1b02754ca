"""The key and passwords are in nothing that a client emits or leaves behind."""

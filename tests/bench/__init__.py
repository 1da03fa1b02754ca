"""Measurements: commands of their own, none of them a test."""

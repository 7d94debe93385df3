"""Faults that are made on purpose, more of them than the tests have time for."""

"""Tests of the sequences room."""

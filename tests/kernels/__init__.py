"""Tests of the kernels room."""

"""Tests of the benchmarks' harness; never of how long anything takes."""

"""Benchmarks: one question a file, its peers and sizes as data, all peers side by side in one run.

`python -m benchmarks` runs every question, `python -m benchmarks recurrent` one of them.
A new question is a new file that ends in `QUESTION = Question(...)`; nothing else changes.
"""

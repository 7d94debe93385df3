"""What layers, models and functions do to each step: found out, shown and told as plain data.

Two bounds carry it: `reading` follows data through the traced program and says what an output step
cannot read; `witnesses` changes input steps and says what it does read. `relation` tells how the
functions of two models are related over all settings of their weights.
"""

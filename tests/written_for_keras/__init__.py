"""Layers, models and helpers as people write them for Keras, run in both libraries."""

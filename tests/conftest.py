"""Settings that must stand before any test imports what they govern."""

import os

# Keras reads its backend once, on import; its numbers are compared with ours on the same one.
os.environ.setdefault("KERAS_BACKEND", "jax")

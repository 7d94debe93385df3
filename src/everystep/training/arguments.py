"""What `fit`, `evaluate` and `predict` take besides data, by name."""

from typing import Any

from everystep.kinds import FRACTION, LISTED, MAPPING, POSITIVE, VERBOSE, WHOLE, optional

ARGUMENTS: dict[str, Any] = {
    "batch_size": optional(POSITIVE),
    "callbacks": optional(LISTED),
    "class_weight": optional(MAPPING),
    "epochs": WHOLE,
    "initial_epoch": WHOLE,
    "steps": optional(POSITIVE),
    "steps_per_epoch": optional(POSITIVE),
    "validation_batch_size": optional(POSITIVE),
    "validation_freq": POSITIVE,
    "validation_split": FRACTION,
    "validation_steps": optional(POSITIVE),
    "verbose": VERBOSE,
}

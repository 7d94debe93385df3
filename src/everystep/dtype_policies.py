"""Dtype policies under Keras's names: which precision weights are kept and computed in."""

from typing import Any

from everystep.core.dtypes import DTypePolicy
from everystep.kinds import checked, instance_of

__all__ = ["DTypePolicy", "FloatDTypePolicy", "deserialize", "get", "serialize"]

FloatDTypePolicy = DTypePolicy


def get(identifier: Any) -> DTypePolicy:
    """Return the policy for a name, a dtype, a policy, its configuration, or None.

    Raises:
        SettingError: there is no such policy.

    Example:
        >>> get("mixed_float16").compute_dtype
        'float16'
    """
    return DTypePolicy.parse(identifier)


deserialize = get


@checked(dtype_policy=instance_of("a dtype policy", DTypePolicy))
def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """Return the configuration of a policy as plain data."""
    return dtype_policy.to_config()

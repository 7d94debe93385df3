"""Dtype policies: in which precision a layer keeps its weights, and in which it computes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from everystep.core.defaults import floatx
from everystep.errors import SettingError
from everystep.kinds import Kind, reject, shown

POLICIES: dict[str, tuple[str, str]] = {
    "float32": ("float32", "float32"),
    "float64": ("float64", "float64"),
    "bfloat16": ("bfloat16", "bfloat16"),
    "float16": ("float16", "float16"),
    "mixed_bfloat16": ("float32", "bfloat16"),
    "mixed_float16": ("float32", "float16"),
}

NAMED = Kind(
    "a mapping with a name, such as get_config gives",
    lambda value: value if isinstance(value["name"], str) else reject(value),
    refused=(None, {}, "text", []),
)


@dataclass(frozen=True)
class DTypePolicy:
    """The dtype of a layer's weights and the dtype of its arithmetic, under one name.

    Args:
        name: one of `float32`, `float64`, `bfloat16`, `float16`, `mixed_bfloat16` and
            `mixed_float16`; the mixed ones keep weights in float32. Without a name it is that of
            `config.floatx()`.

    Raises:
        SettingError: no policy has that name, or float64 is asked for while JAX has it switched
            off.

    Example:
        >>> DTypePolicy("mixed_bfloat16").variable_dtype
        'float32'
    """

    name: Any = None

    def get_config(self) -> dict[str, Any]:
        """Return the name as plain data."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "DTypePolicy":
        """Return the policy that `get_config` described."""
        return cls(NAMED.taken("from_config: config", config)["name"])

    def __post_init__(self) -> None:
        # The class is frozen, so that layers can share a policy.
        object.__setattr__(self, "name", floatx() if self.name is None else self.name)
        if not isinstance(self.name, str) or self.name not in POLICIES:
            raise SettingError(
                f"dtype must be one of {', '.join(POLICIES)}, not {shown(self.name)}"
            )
        if self.name == "float64" and not jax.config.jax_enable_x64:  # type: ignore[attr-defined]
            raise SettingError(
                "dtype 'float64' needs JAX's double precision, which is switched off: call "
                "jax.config.update('jax_enable_x64', True) first"
            )

    @property
    def variable_dtype(self) -> str:
        """The dtype of the weights."""
        return POLICIES[self.name][0]

    @property
    def compute_dtype(self) -> str:
        """The dtype of the arithmetic."""
        return POLICIES[self.name][1]

    @property
    def mixed(self) -> bool:
        """Whether weights are cast before they are used."""
        return self.variable_dtype != self.compute_dtype

    @classmethod
    def parse(cls, value: Any) -> "DTypePolicy":
        """Return the policy for a name, a dtype, a policy, its configuration, or None.

        None stands for the policy that `config.set_dtype_policy` set, or for the usual dtype.
        """
        if isinstance(value, cls):
            return value
        if value is None:
            return dtype_policy()
        try:
            if isinstance(value, dict):
                return cls(value["config"]["name"])
            return cls(value if isinstance(value, str) else jnp.dtype(value).name)
        except (TypeError, LookupError):
            raise SettingError(
                f"dtype must be a dtype or a dtype policy, not {shown(value)}"
            ) from None

    def to_config(self) -> dict[str, Any]:
        """Return the policy as plain data."""
        return {
            "module": "keras",
            "class_name": "DTypePolicy",
            "config": {"name": self.name},
            "registered_name": None,
        }


@dataclass
class _Usual:
    policy: DTypePolicy | None = None


_usual = _Usual()


def dtype_policy() -> DTypePolicy:
    """Return the policy of layers that are given none.

    Example:
        >>> dtype_policy()
        DTypePolicy(name='float32')
    """
    return DTypePolicy() if _usual.policy is None else _usual.policy


def set_dtype_policy(policy: Any) -> None:
    """Set the policy of layers that are given none; those that exist keep theirs.

    Args:
        policy: a name such as `"mixed_bfloat16"`, or a policy.

    Raises:
        SettingError: there is no such policy.
    """
    _usual.policy = DTypePolicy.parse(policy)


def is_float(array: Any) -> bool:
    """Whether an array holds floating-point numbers of any precision."""
    return bool(jnp.issubdtype(array.dtype, jnp.floating))


def _array_dtype(value: Any) -> str:
    dtype = jnp.dtype(value)
    numeric = any(jnp.issubdtype(dtype, each) for each in (jnp.bool_, jnp.number))
    return str(dtype.name) if numeric else reject(value)


DTYPE = Kind(
    "a dtype or a dtype policy",
    DTypePolicy.parse,
    lambda policy: policy.to_config(),
    refused=("float7", 3.5),
)
ARRAY_DTYPE = Kind(
    "the dtype of an array",
    _array_dtype,
    refused=("float7", 3.5, [], dict),
)

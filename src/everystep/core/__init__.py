"""What every layer, loss and optimizer is made of: settings, names, weights, randomness, scopes."""

from everystep.core.dtypes import DTypePolicy
from everystep.core.naming import auto_name, path_of, within
from everystep.core.randomness import set_random_seed
from everystep.core.registry import Catalogue, deserialize, serialize
from everystep.core.scope import Scope, current_scope
from everystep.core.settings import Configurable, Setting, setting
from everystep.core.variables import Variable

__all__ = [
    "Catalogue",
    "Configurable",
    "DTypePolicy",
    "Scope",
    "Setting",
    "Variable",
    "auto_name",
    "current_scope",
    "deserialize",
    "path_of",
    "serialize",
    "set_random_seed",
    "setting",
    "within",
]

"""Python's scopes: which binding a name that is read resolves to."""

import builtins
from typing import Final

from everystep.corpora.source_roles.roles import BUILT_IN, VARIABLE_READ

# Left out: what every module binds for itself, and `_`, which interactive shells put there.
BUILT_IN_NAMES: Final = frozenset(dir(builtins)) - {
    "_",
    "__doc__",
    "__loader__",
    "__name__",
    "__package__",
    "__spec__",
}


class Scope:
    """One module, class, function, lambda, comprehension or list of type parameters.

    Args:
        kind: "module", "class", "function", "comprehension" or "types".
        parent: the scope around it, or None for a module.

    >>> module = Scope("module", None)
    >>> module.bind("os", "module")
    >>> inner = Scope("function", module)
    >>> inner.bind("len")
    >>> inner.role_of("os"), inner.role_of("len"), module.role_of("len")
    ('module', 'variable read', 'built-in')
    """

    __slots__ = ("_bindings", "_elsewhere", "kind", "module", "parent")

    def __init__(self, kind: str, parent: "Scope | None") -> None:
        self.kind = kind
        self.parent = parent
        self.module: Scope = self if parent is None else parent.module
        self._bindings: dict[str, str] = {}
        self._elsewhere: dict[str, Scope | None] = {}

    def bind(self, name: str, role: str = VARIABLE_READ) -> None:
        """Note that this scope binds a name.

        Args:
            name: the name bound.
            role: the role of reading it. A name that is bound by an import anywhere in its scope
                counts as imported, since `try: import x` is often followed by `x = None`.
        """
        if name in self._elsewhere:
            owner = self._elsewhere[name]
            if owner is not None:
                owner.bind(name, role)
        elif self._bindings.get(name, VARIABLE_READ) == VARIABLE_READ:
            self._bindings[name] = role

    def bind_walrus(self, name: str) -> None:
        """Note that `name :=` stands in this scope: comprehensions hand it to the one around."""
        scope = self
        while scope.kind == "comprehension" and scope.parent is not None:
            scope = scope.parent
        scope.bind(name)

    def declare_global(self, names: list[str]) -> None:
        """Let this scope bind and read these names in the module."""
        if self is not self.module:
            self._elsewhere.update(dict.fromkeys(names, self.module))
        for name in names:
            self.module.bind(name)

    def declare_nonlocal(self, names: list[str]) -> None:
        """Let this scope bind these names in the functions around it, which bind them anyway."""
        self._elsewhere.update(dict.fromkeys(names))

    def role_of(self, name: str) -> str:
        """Return the role of reading a name here, once every binding of the file is known.

        Args:
            name: the name that is read.

        Returns:
            MODULE, IMPORTED, BUILT_IN or VARIABLE_READ.
        """
        scope: Scope | None = self
        class_is_visible = True
        while scope is not None:
            # Functions do not see the names of the class around them; type parameters do.
            if class_is_visible or scope.kind != "class":
                scope = scope._elsewhere.get(name) or scope
                if name in scope._bindings:
                    return scope._bindings[name]
            class_is_visible = class_is_visible and scope.kind == "types"
            scope = scope.parent
        return BUILT_IN if name in BUILT_IN_NAMES else VARIABLE_READ

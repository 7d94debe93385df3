"""Hand-labelled source: each name of a snippet with the role that a reader would give it."""

from typing import Final

# Short names for the roles, so that a row reads at a glance.
SHORT: Final = {
    "K": "keyword",
    "def": "function defined",
    "cls": "class defined",
    "par": "parameter",
    "kwa": "keyword argument",
    "call": "function called",
    "meth": "method called",
    "attr": "attribute read",
    "attr=": "attribute written",
    "read": "variable read",
    "var=": "variable written",
    "mod": "module",
    "imp": "imported name",
    "built": "built-in",
    "type": "type",
    "deco": "decorator",
    "op": "operator",
    "num": "number",
    "str": "string",
    "com": "comment",
}

# title -> (source, the role of each token that is no operator, in order)
SNIPPETS: Final[dict[str, tuple[str, str]]] = {
    "nothing": ("", ""),
    "only line ends": ("\n\n\n", ""),
    "only comments": ("# one\n\n    # two", "com com"),
    "definition": ("def f(a, b=c): return a", "K def par par read K read"),
    "async definition": (
        "async def f():\n await g()\n async for x in y: pass\n async with z as w: pass",
        "K K def K call K K var= K read K K K read K var= K",
    ),
    "kinds of parameters": (
        "def f(a, /, b, *c, d=1, **e): pass",
        "K def par par par par num par K",
    ),
    "lambda": ("g = lambda x, *y: x(y)", "var= K par par call read"),
    "annotations": (
        "def f(a: int, *b: m.T) -> list[str] | None: pass",
        "K def par type par read type type type K K",
    ),
    "annotated variable": ("x: Dict[str, q.T] = y", "var= type type read type read"),
    "annotation that calls": ("x: f(int)", "var= call built"),
    "class": ("class A(B, m.C, metaclass=D): x = 1", "K cls type read type kwa read var= num"),
    "base that is called": ("class A(f(x)): pass", "K cls call read K"),
    "generic base": ("class A(B[C]): pass", "K cls type type K"),
    "method": ("class A:\n def f(self): self.x = self.y", "K cls K def par read attr= read attr"),
    "decorators": (
        "@a\n@b.c\n@d.e(f)\n@property\n@g(h)(i)\ndef k(): pass",
        "deco read deco read deco read deco deco read read K def K",
    ),
    "decorated class": ("@a\nclass B: pass", "deco K cls K"),
    "comprehensions": (
        "[f(x) for x in y if x]; {k: v for k, v in z}; (w async for w in y)",
        "call read K var= K read K read read read K var= var= K read read K K var= K read",
    ),
    "walrus": ("if (n := len(a)) > n: pass", "K var= built read read K"),
    "star arguments": ("f(*a, **b, c=d)", "call read read kwa read"),
    "chained calls": ("a.b(c)(d).e(f).g", "read meth read read meth read attr"),
    "called results": ("f[0](x); (lambda: f)()(y); (g)(z)", "read num read K read read call read"),
    "called attribute in brackets": ("(a.b)(c)", "read meth read"),
    "built-ins": (
        "print(len); raise ValueError(x); __name__; __import__('a')",
        "built built K built read read built str",
    ),
    "built-in bound in the module": ("id = 1\ndef f(): id(x)", "var= num K def call read"),
    "built-in bound in a class": (
        "class A:\n def id(self): id(self)\n id",
        "K cls K def par built read read",
    ),
    "built-in bound in another function": (
        "def f(id): id\ndef g(): id",
        "K def par read K def built",
    ),
    "built-in bound in a comprehension": ("[id for id in x]; id", "read K var= K read built"),
    "built-in in the first iterable": (
        "[id for id in f(id) for x in g(id)]",
        "read K var= K call built K var= K call read",
    ),
    "built-in bound out of a comprehension": (
        "[(id := 1) for x in y]; id",
        "var= num K var= K read read",
    ),
    "built-in in an annotation": ("def f(id, a: g(id)): pass", "K def par par call built K"),
    "built-in bound around a function": (
        "def f(id):\n def g(): return id",
        "K def par K def K read",
    ),
    "imports": (
        "import os, a.b as c, x.y\nos.path; c(z); x; y",
        "K mod mod mod K mod mod mod mod attr call read mod read",
    ),
    "from-imports": (
        "from . import x\nfrom ..a.b import c as d, e\nfrom .f import (\n g, # why\n h)\n"
        "x; c; d(e)",
        "K K imp K mod mod K imp K imp imp K mod K imp com imp imp read call imp",
    ),
    "star import": ("from a import *\nb", "K mod K read"),
    "import in a function": ("def f():\n import os\n os.x\nos.x", "K def K mod mod attr read attr"),
    "import that may fail": (
        "try: import x\nexcept ImportError: x = None\nx",
        "K K mod K type var= K mod",
    ),
    "import declared global": (
        "def f():\n global os\n import os\nos",
        "K def K var= K mod mod",
    ),
    "import shadowed by a parameter": ("import os\ndef f(os): os", "K mod K def par read"),
    "global and nonlocal": (
        "def f():\n x = 1\n def g():\n  nonlocal x\n  global y, z\n  y = x",
        "K def var= num K def K var= K var= var= var= read",
    ),
    "except": (
        "try: pass\nexcept (A, m.B) as e: e\nexcept (C) as d: raise\nexcept: pass\nfinally: x",
        "K K K type read type K var= read K type K var= K K K K read",
    ),
    "except star": ("try: pass\nexcept* A as e: pass", "K K K type K var= K"),
    "with": (
        "with a() as b, c.d() as (e, f.g), h: pass",
        "K call K var= read meth K var= read attr= read K",
    ),
    "assignments": (
        "a = b.c = d[e] = f; a += 1; b.c -= a; d[e] *= a; (a, *b), c = d",
        "var= read attr= read read read var= num read attr= read read read read "
        "var= var= var= read",
    ),
    "delete": ("del a, b.c, d[e], (f)", "K var= read attr= read read var="),
    "for": ("for a, b.c in d: pass\nelse: e", "K var= read attr= K read K K read"),
    "constants": ("x = None, True, 1.5j, ..., b'a' b'b'", "var= K K num str str"),
    "match": (
        "match a:\n case b.C: pass\n case D(e, f=(g), h=[1]) | {'k': i, **j}: pass\n"
        " case [k, *l, *_] if k: pass\n case ((m) as n): pass\n case -1 | _: pass",
        "K read K read attr K K type var= kwa var= kwa num str var= var= K "
        "K var= var= K K read K K var= K var= K K num K K",
    ),
    "soft keywords as names": (
        "match = case = type; match(case); _ = x._(_); match.type; print(match=match)",
        "var= var= built call read var= read meth read read attr built kwa read",
    ),
    "match as a name and as a keyword": (
        "match match:\n case match: match(match)",
        "K read K var= call read",
    ),
    "f-strings": (
        "f'{a.b(c)!r:>{w}} {{x}}' f\"{d}\" 'e'; f'{(y := 1)}{f\"{z}\"}'.join(y)",
        "str str str str meth read",
    ),
    "f-string of several lines": ("x = f'''{\na\n+ b}\n''' % c; d", "var= str read read"),
    "built-in bound in an f-string": ("f'{(id := 1)}'; id", "str read"),
    "not ASCII": (
        "é = 'ü→𝄞'; é.ñ = f(é, ö=b'x'); µ.é(ü) # ß",
        "var= str read attr= call read kwa str read meth read com",
    ),
    "not ASCII in an f-string": ("a = f'ü{é}𝄞'; b.c(d)", "var= str read meth read"),
    "name that Python normalizes": ("ﬁ.ﬂ = ﬁ.ﬃ(ﬁ)", "read attr= read meth read"),
    "continued lines": (
        "a = b \\\n  . c( # why\n   d = \\\ne,\n\n  **f)",
        "var= read meth com kwa read read",
    ),
    "form feed and tabs": ("\x0cif a:\n\tb\n\x0c\n\tc.d()", "K read read read meth"),
    "decorator in brackets": ("@(a)\n@b[c].d\ndef e(): pass", "deco read read deco K def K"),
    "default and inner annotation": (
        "def f(a: A = len, *, b: B = c): d: E = len",
        "K def par type built par type read var= type built",
    ),
    "class that declares global": (
        "class A:\n global id\n id = 1\n def f(self): id",
        "K cls K var= var= num K def par read",
    ),
    "several statements on a line": ("a = 1; def_ = a; class_.b", "var= num var= read read attr"),
}

# The same for the syntax of Python 3.12 and newer.
SNIPPETS_3_12: Final[dict[str, tuple[str, str]]] = {
    "type parameters": (
        "def f[T: int, *U, **V](a: T) -> U: T",
        "K def type type type type par type type read",
    ),
    "generic class": ("class A[T](B[T]): x: T", "K cls type type type var= type"),
    "type alias": ("type A[T] = list[T]; type = A", "K type type type type var= read"),
    "nested quotes": ("f'{a['b']}' + f'{f'{c}'}'; d", "str str read"),
    "type parameters in a class": (
        "class A:\n id = 1\n def f[T](self, a: id = id): id",
        "K cls var= num K def type par par type read built",
    ),
}

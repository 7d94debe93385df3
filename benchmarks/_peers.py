"""The libraries that take part, so that every question names and starts them alike."""

from collections.abc import Callable, Sequence

from benchmarks._question import Peer, Sizes

# The loop of JAX alone, whatever other twins are built, so that both stand in every table.
XLA = {"EVERYSTEP_KERNEL": "xla"}
BACKENDS = {"JAX": "jax", "TensorFlow": "tensorflow", "torch": "torch"}


def ours(build: str, twins: bool = True) -> tuple[Peer, ...]:
    """everystep, as it chooses for itself, and with its loop of JAX alone."""
    auto = Peer("everystep", build)
    return (auto, Peer("everystep xla", build, XLA)) if twins else (auto,)


def keras(build: str, backends: Sequence[str] = tuple(BACKENDS)) -> tuple[Peer, ...]:
    """Keras 3 on each of its backends."""
    return tuple(
        Peer(
            f"Keras on {name}",
            build,
            {"KERAS_BACKEND": BACKENDS[name], "TF_CPP_MIN_LOG_LEVEL": "3"},
            ("keras", *(() if name == "JAX" else (BACKENDS[name],))),
        )
        for name in backends
    )


def torch(build: str) -> tuple[Peer, ...]:
    """torch, run eagerly and compiled; compiling it needs a C++ compiler on the machine."""
    return (
        Peer("torch", build, requires=("torch",)),
        Peer("torch compiled", build, requires=("torch",), settings={"way": "compiled"}),
    )


def on_jax(
    flax: str, equinox: str, equinox_can: Callable[[Sizes], bool] = lambda _: True
) -> tuple[Peer, ...]:
    """Other libraries on JAX."""
    return (
        Peer("flax nnx", flax, requires=("flax",)),
        Peer("equinox", equinox, requires=("equinox",), can=equinox_can),
    )


def of_layers() -> tuple[Peer, ...]:
    """Every library with the recurrent layers of `_layers`."""
    return (
        *ours("benchmarks._layers.ours:recurrent"),
        Peer("plain scan", "benchmarks._layers.with_jax:plain_scan"),
        *keras("benchmarks._layers.with_keras:recurrent"),
        *torch("benchmarks._layers.with_torch:recurrent"),
        *on_jax(
            "benchmarks._layers.with_flax:recurrent",
            "benchmarks._layers.with_equinox:recurrent",
            lambda sizes: sizes["cell"] != "SimpleRNN",
        ),
    )


DOUBLE = Peer("double precision", "benchmarks._layers.with_jax:double", {"JAX_ENABLE_X64": "1"})

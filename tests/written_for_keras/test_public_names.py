"""What people import from Keras is here at the same path, with the same arguments and defaults.

What is not here, or differs, stands in the tables, with the reason.
"""

import importlib
import inspect
from typing import Any

import pytest

import everystep

keras = pytest.importorskip("keras", reason="Keras is the independent source of the names")

QUANTIZED = "weights of few bits"
IMAGES = "pictures"
TF = "TensorFlow's data sets or graphs"
VOLUMES = "three axes of space"
OLD = "left over from earlier versions of Keras"
INSIDE = "how Keras works inside"
ABSENT: dict[str, dict[str, str]] = {
    "": {
        "Function": INSIDE,
        "Operation": INSIDE,
        "Quantizer": QUANTIZED,
        "RematScope": "jax.checkpoint does that",
        "StatelessScope": "everystep.apply does that",
        "SymbolicScope": INSIDE,
        "applications": IMAGES,
        "datasets": "data sets from the network",
        "device": "jax.default_device does that",
        "distillation": "training of one model by another",
        "distribution": "jax.sharding does that",
        "export": TF,
        "legacy": OLD,
        "name_scope": INSIDE,
        "ops": "arithmetic is that of jax.numpy",
        "quantizers": QUANTIZED,
        "remat": "jax.checkpoint does that",
        "tree": "jax.tree does that",
        "version": "everystep.__version__ says it",
        "visualization": IMAGES,
        "wrappers": "scikit-learn's interface",
    },
    "regularizers": {},
    "constraints": {},
    "initializers": dict.fromkeys(["STFT", "STFTInitializer", "stft"], "spectra of sound"),
    "activations": {},
    "layers": {
        **dict.fromkeys(
            [
                "AdaptiveAveragePooling2D",
                "AdaptiveMaxPooling2D",
                "AugMix",
                "AutoContrast",
                "CenterCrop",
                "ContrastLimitedAdaptiveHistogramEqualization",
                "Conv2DTranspose",
                "ConvLSTM1D",
                "ConvLSTM2D",
                "Convolution2DTranspose",
                "CutMix",
                "DepthwiseConv2D",
                "Equalization",
                "MaxNumBoundingBoxes",
                "MixUp",
                "RandAugment",
                "RandomBrightness",
                "RandomColorDegeneration",
                "RandomColorJitter",
                "RandomContrast",
                "RandomCrop",
                "RandomElasticTransform",
                "RandomErasing",
                "RandomFlip",
                "RandomGaussianBlur",
                "RandomGrayscale",
                "RandomHue",
                "RandomInvert",
                "RandomPerspective",
                "RandomPosterization",
                "RandomRotation",
                "RandomSaturation",
                "RandomSharpness",
                "RandomShear",
                "RandomTranslation",
                "RandomZoom",
                "Rescaling",
                "Resizing",
                "SeparableConv2D",
                "SeparableConvolution2D",
                "Solarization",
            ],
            IMAGES,
        ),
        **dict.fromkeys(
            [
                "AdaptiveAveragePooling3D",
                "AdaptiveMaxPooling3D",
                "AveragePooling3D",
                "AvgPool3D",
                "Conv3D",
                "Conv3DTranspose",
                "ConvLSTM3D",
                "Convolution3D",
                "Convolution3DTranspose",
                "Cropping3D",
                "GlobalAveragePooling3D",
                "GlobalAvgPool3D",
                "GlobalMaxPool3D",
                "GlobalMaxPooling3D",
                "MaxPool3D",
                "MaxPooling3D",
                "SpatialDropout3D",
                "UpSampling3D",
                "ZeroPadding3D",
            ],
            VOLUMES,
        ),
        **dict.fromkeys(
            [
                "CategoryEncoding",
                "Discretization",
                "HashedCrossing",
                "Hashing",
                "IntegerLookup",
                "MelSpectrogram",
                "Normalization",
                "Pipeline",
                "STFTSpectrogram",
                "StringLookup",
                "TextVectorization",
            ],
            "data is prepared before it comes to the model",
        ),
        **dict.fromkeys(
            [
                "FlaxLayer",
                "JaxLayer",
                "TFSMLayer",
                "TorchModuleWrapper",
            ],
            "layers of other libraries",
        ),
        **dict.fromkeys(
            [
                "AdaptiveAveragePooling1D",
                "AdaptiveMaxPooling1D",
                "ReversibleEmbedding",
            ],
            "later",
        ),
    },
    "models": {},
    "optimizers": {
        "MultiOptimizer": "one optimizer trains a model",
        "OptimizerMap": "one optimizer trains a model",
        "legacy": OLD,
    },
    "optimizers.schedules": {},
    "losses": {
        **dict.fromkeys(["Dice", "Tversky", "dice", "tversky"], "segments of pictures"),
        **dict.fromkeys(["Circle", "circle"], "similarities of pictures"),
        **dict.fromkeys(["CTC", "ctc"], "labels without places: later"),
        **dict.fromkeys(
            ["CategoricalGeneralizedCrossEntropy", "categorical_generalized_cross_entropy"],
            "wrong labels: later",
        ),
    },
    "metrics": {},
    "callbacks": {
        "BackupAndRestore": "checkpoints of training come later",
        "OrbaxCheckpoint": "ModelCheckpoint saves models",
        "ProgbarLogger": "fit shows its progress itself",
        "RemoteMonitor": "network",
        "SwapEMAWeights": "optimizers swap the weights themselves",
        "TensorBoard": "CSVLogger writes a table",
    },
    "random": {},
    "config": {
        **dict.fromkeys(
            ["disable_flash_attention", "enable_flash_attention", "is_flash_attention_enabled"],
            "XLA chooses",
        ),
        **dict.fromkeys(
            [
                "disable_interactive_logging",
                "enable_interactive_logging",
                "is_interactive_logging_enabled",
            ],
            "`verbose` says it",
        ),
        **dict.fromkeys(
            [
                "disable_traceback_filtering",
                "enable_traceback_filtering",
                "is_traceback_filtering_enabled",
            ],
            "tracebacks are whole",
        ),
        "enable_unsafe_deserialization": "nothing that a file says is run",
        "is_nnx_enabled": INSIDE,
        "set_backend": "JAX is the only one",
        **dict.fromkeys(
            ["max_epochs", "max_steps_per_epoch", "set_max_epochs", "set_max_steps_per_epoch"],
            "settings of fit",
        ),
    },
    "dtype_policies": {
        **dict.fromkeys(
            [
                "AWQDTypePolicy",
                "GPTQDTypePolicy",
                "Int4DTypePolicy",
                "QuantizedDTypePolicy",
                "QuantizedFloat8DTypePolicy",
            ],
            QUANTIZED,
        ),
        "DTypePolicyMap": "each layer takes its own policy",
    },
    "mixed_precision": {"LossScaleOptimizer": "optimizers have `loss_scale_factor`"},
    "preprocessing.sequence": {},
    "saving": {"KerasFileEditor": "files are read and written as whole models"},
    "backend": {"get_uid": INSIDE},
    "utils": {
        **dict.fromkeys(
            [
                "array_to_img",
                "bounding_boxes",
                "image_dataset_from_directory",
                "img_to_array",
                "load_img",
                "save_img",
            ],
            IMAGES,
        ),
        **dict.fromkeys(
            [
                "FeatureSpace",
                "audio_dataset_from_directory",
                "split_dataset",
                "text_dataset_from_directory",
                "timeseries_dataset_from_array",
            ],
            "fit takes lists of sequences, and makes the batches itself",
        ),
        **dict.fromkeys(
            [
                "disable_interactive_logging",
                "enable_interactive_logging",
                "is_interactive_logging_enabled",
            ],
            "`verbose` says it",
        ),
        **dict.fromkeys(["model_to_dot", "plot_model"], "pictures of models come later"),
        "Config": "a dict does that",
        "Progbar": "rich does that",
        "get_file": "files from the network",
        "get_source_inputs": INSIDE,
        "legacy": OLD,
    },
}
# Class or function -> why its parameters are others.
DIFFERENT: dict[str, str] = {
    "CallbackList": "the trainer's own, which knows its model from the start",
    "LambdaCallback": "takes all hooks, not six of them",
    "Layer": "takes all its arguments by name, in another order",
    "Optimizer": "the base has no learning rate of its own",
}
# What ours take besides: Keras takes it among further keyword arguments, or has not got it.
FURTHER: dict[str, str] = {
    "alpha": "older name of negative_slope",
    "axis_names": "named in error messages",
    "implementation": "taken and not used, as in Keras",
    "rms_scaling": "taken by Keras, and refused where it is set",
    "seed": "of a layer's dropout",
    "zero_output_for_mask": "taken by Keras's base of recurrent layers",
}
LACKING: dict[str, str] = {
    "gptq_unpacked_column_size": QUANTIZED,
    "zipped": "a .keras file is one file",
}
# What Keras takes as further keyword arguments of every layer, and of older code.
OF_EVERY_LAYER = {"activity_regularizer", "autocast", "dtype", "name", "trainable"}
OF_EVERY_LAYER |= {"input_shape", "batch_input_shape"}
BOTH = ["constraints", "regularizers", "initializers", "losses", "metrics", "callbacks"]
BOTH += ["activations", "random", "dtype_policies", "layers", "models", "optimizers"]
BOTH += ["optimizers.schedules"]


def module(path: str, library: Any) -> Any:
    for part in path.split(".") if path else ():
        library = getattr(library, part)
    return library


def keras_names(path: str) -> set[str]:
    return {name for name in dir(module(path, keras)) if not name.startswith("_")} - {"src"}


@pytest.mark.parametrize("path", ABSENT)
def test_every_name_of_keras_is_here_or_in_the_table(path: str) -> None:
    ours = module(path, everystep)
    missing = {name for name in keras_names(path) if not present(ours, name)}
    assert missing == ABSENT[path].keys()


def present(ours: Any, name: str) -> bool:
    return name in dir(ours) if ours is everystep else hasattr(ours, name)


def parameters(thing: Any) -> dict[str, Any]:
    """What it takes by name, and the defaults."""
    # Some of Keras's classes have a `__new__` that hides what they take.
    theirs = isinstance(thing, type) and thing.__module__.startswith("keras")
    signature = inspect.signature(thing.__init__ if theirs else thing).parameters.values()
    open_ended = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    taken = {p.name: p.default for p in signature if p.kind not in open_ended}
    return {name: default for name, default in taken.items() if name != "self"}


def meaning(default: Any) -> str:
    """A default as text, alike for what means the same: None and False, 2 and (2, 2), a name."""
    if isinstance(default, tuple) and len(set(default)) == 1:
        default = default[0]
    return repr(default or None).lower()


def shared() -> list[Any]:
    return [
        pytest.param(getattr(ours, name), getattr(theirs, name), id=f"{path}.{name}")
        for path in BOTH
        for ours, theirs in [(module(path, everystep), module(path, keras))]
        for name in sorted(set(ours.__all__) & keras_names(path) - DIFFERENT.keys())
        if callable(getattr(ours, name)) and name not in ("get", "serialize", "deserialize")
    ]


@pytest.mark.parametrize(("ours", "theirs"), shared())
def test_arguments_their_order_and_defaults_are_those_of_keras(ours: Any, theirs: Any) -> None:
    found, wanted = parameters(ours), parameters(theirs)
    if isinstance(ours, type) and issubclass(ours, everystep.Layer):
        found, wanted = (
            {name: default for name, default in each.items() if name not in OF_EVERY_LAYER}
            for each in (found, wanted)
        )
    assert [name for name in found if name in wanted or name not in FURTHER] == [
        name for name in wanted if name not in LACKING
    ]
    for name in found.keys() & wanted.keys():
        assert meaning(found[name]) == meaning(wanted[name]), name


def test_importing_by_path_works_as_with_keras() -> None:
    for path in ("preprocessing.sequence", "saving", "models", "layers", "utils", "backend"):
        importlib.import_module(f"everystep.{path}")

"""Normalization, and noise where it is none."""

from typing import Any

from tests.differential.space import (
    FEATURES,
    FRAMES,
    SEQUENCES,
    TIME_MASKS,
    VECTORS,
    YES_NO,
    Of,
    Space,
)

AFFINE: dict[str, Any] = {"epsilon": [1e-3, 1e-2], "center": YES_NO, "scale": YES_NO}

SPACES = [
    Space("LayerNormalization", AFFINE | {"axis": [-1]}, masks=TIME_MASKS),
    Space("LayerNormalization", AFFINE | {"axis": [1, (1, 2), -1]}, shapes=[SEQUENCES, FRAMES]),
    # Keras would lose the mask here.
    Space("RMSNormalization", {"axis": [-1], "epsilon": [1e-6, 1e-2]}),
    Space(
        "BatchNormalization",
        AFFINE | {"momentum": [0.9, 0.5]},
        masks=TIME_MASKS,
        called_with={"training": YES_NO},
    ),
    Space(
        "BatchNormalization",
        AFFINE | {"axis": [-1, 1]},
        shapes=[FRAMES, VECTORS],
        called_with={"training": YES_NO},
    ),
    Space(
        "BatchNormalization",
        AFFINE | {"renorm": [True], "renorm_clipping": [None, {"rmin": 0.9, "rmax": 1.2}]},
        masks=TIME_MASKS,
        called_with={"training": YES_NO},
        positive=("variance", "stddev"),
    ),
    Space("SpectralNormalization", {"layer": [Of("Dense", 6), Of("Conv1D", 6, 2)]}),
    Space(
        "GroupNormalization",
        AFFINE | {"groups": [1, 2, FEATURES, -1]},
        shapes=[SEQUENCES, FRAMES, VECTORS],
    ),
    Space("UnitNormalization", {"axis": [-1]}, masks=TIME_MASKS),
    *(
        Space(name, {"rate": [0.3]}, masks=TIME_MASKS)
        for name in ("Dropout", "SpatialDropout1D", "GaussianDropout", "AlphaDropout")
    ),
    Space("SpatialDropout2D", {"rate": [0.3]}, shapes=[FRAMES]),
    Space("GaussianNoise", {"stddev": [0.3]}, masks=TIME_MASKS),
    Space("ActivityRegularization", {"l1": [0.0, 0.1], "l2": [0.0, 0.2]}),
]

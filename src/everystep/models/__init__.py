"""Models: layers in a row or in a graph, their summary, and training, saving and loading."""

from everystep.core.registry import Catalogue
from everystep.models.cloning import clone_model, model_from_json
from everystep.models.files import load_model, save_model
from everystep.models.live import from_keras
from everystep.models.model import Functional, Model
from everystep.models.sequential import Sequential

CATALOGUE = Catalogue("model", "keras", [Sequential])
FUNCTIONAL = Catalogue("model", "keras.src.models.functional", [Functional])

__all__ = [
    "Functional",
    "Model",
    "Sequential",
    "clone_model",
    "from_keras",
    "load_model",
    "model_from_json",
    "save_model",
]

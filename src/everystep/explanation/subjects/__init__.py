"""What can be explained, each turned into a program: our layers and models, Keras's, functions."""

from everystep.explanation.subjects.finding import subject_of
from everystep.explanation.subjects.subject import Subject

__all__ = ["Subject", "subject_of"]

"""Labelling of the steps of sentences and signals: scores of labels."""

from everystep.tagging.entities import Entity, EntityCounts, EntityMatches, entities
from everystep.tagging.scores import Scores, SentenceCounts

__all__ = ["Entity", "EntityCounts", "EntityMatches", "Scores", "SentenceCounts", "entities"]

"""Labelling of the steps of sentences and signals: scores of labels, and how sure they are."""

from everystep.tagging.bootstrap import (
    Difference,
    Interval,
    confidence_interval,
    paired_bootstrap,
)
from everystep.tagging.entities import Entity, EntityCounts, EntityMatches, entities
from everystep.tagging.runs import over_runs
from everystep.tagging.scores import Scores, SentenceCounts
from everystep.tagging.segments import SegmentScores

__all__ = [
    "Difference",
    "Entity",
    "EntityCounts",
    "EntityMatches",
    "Interval",
    "Scores",
    "SegmentScores",
    "SentenceCounts",
    "confidence_interval",
    "entities",
    "over_runs",
    "paired_bootstrap",
]

"""Labelling of the steps of sentences and signals: taggers, scores, and how sure those are."""

from everystep.tagging.bootstrap import (
    Difference,
    Interval,
    confidence_interval,
    paired_bootstrap,
)
from everystep.tagging.entities import Entity, EntityCounts, EntityMatches, entities
from everystep.tagging.estimator import SequenceTagger
from everystep.tagging.runs import over_runs
from everystep.tagging.scores import Scores, SentenceCounts
from everystep.tagging.segments import SegmentScores
from everystep.tagging.settings import Settings
from everystep.tagging.signals import LiveSignal, SignalSettings, SignalTagger
from everystep.tagging.tagger import Tagger

__all__ = [
    "Difference",
    "Entity",
    "EntityCounts",
    "EntityMatches",
    "Interval",
    "LiveSignal",
    "Scores",
    "SegmentScores",
    "SentenceCounts",
    "SequenceTagger",
    "Settings",
    "SignalSettings",
    "SignalTagger",
    "Tagger",
    "confidence_interval",
    "entities",
    "over_runs",
    "paired_bootstrap",
]

"""What groups of firms are called."""

from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.language import say
from pipeline.params.analyses import Grouping


def group_words(grouping: Grouping, group: str) -> str:
    """Return what a group is called: the user's own words, or between which edges it lies."""
    if grouping.labels is not None or group not in grouping.names:
        return group
    position = grouping.names.index(group)
    if grouping.transform == "any":
        return say("group_of.above_zero") if position else say("group_of.zero")
    edges = [rounding.general(edge) for edge in grouping.edges]
    if position == 0:
        return say("group_of.below", high=edges[0])
    if position == len(edges):
        return say("group_of.from", low=edges[-1])
    return say("group_of.between", low=edges[position - 1], high=edges[position])

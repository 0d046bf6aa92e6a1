"""Means that together tell of few firms, or of one that dominates: which of them stay.

Of each variable at one date the means of paths, baselines, balance, losses and the profile are
looked at together, by the sets of firms that they are of (POPULATION_SETS). Standardised
differences of balance tables are too: with one pair of means they tell the difference of others.
Both groups' means are shown, or neither, since the difference, or the effect, tells one from the
other. Where means before matching cannot stand beside those after it, those of the treated that
are matched may: both are then of the same treated firms.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from pipeline.datasets.arrays import Flags, Floats
from pipeline.datasets.balance import BALANCE, SUPPORT
from pipeline.datasets.panel import PROFILE
from pipeline.datasets.results import OUTCOME_PATHS
from pipeline.datasets.samples import BASELINES
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import reference_event_time
from pipeline.publishing.disclosure.admission import Alternative, Candidate, Guard, admitted
from pipeline.publishing.disclosure.blocks import Block, Place, place
from pipeline.publishing.disclosure.dominance import dominated_sets
from pipeline.publishing.disclosure.figures import (
    DIFFERENCE,
    MEAN,
    Figure,
    hide_figures,
    shown_figures,
    with_matched,
)

# The order in which figures stay: is it the headline's design, of all entry years; table, what is
# shown, sample.
_BALANCE = (
    (BALANCE.name, DIFFERENCE, "after"),
    (BALANCE.name, MEAN, "after"),
    (BALANCE.name, MEAN, "before"),
    (BALANCE.name, MEAN, "on_support"),
)
_PATHS = ((BASELINES.name, MEAN, "all"), (OUTCOME_PATHS.name, MEAN, "all"))
_FATES = ("kept", "lost", "no_match", "off_support", "no_covariate")
_NEED = [
    *((True, True, *of) for of in _PATHS),
    *((headline, True, *of) for of in _BALANCE for headline in (True, False)),
    *((False, True, *of) for of in _PATHS),
    *((headline, False, *of) for of in _BALANCE for headline in (True, False)),
    *(
        (headline, together, SUPPORT.name, MEAN, fate)
        for together in (True, False)
        for fate in _FATES
        for headline in (True, False)
    ),
    (False, False, PROFILE.name, MEAN, "all"),
]


@dataclass(frozen=True)
class StayingMeans:
    """Say which figures stay, and which places of BALANCE speak of the treated that are matched."""

    figures: set[Figure]
    of_matched: set[Place]


@dataclass(frozen=True)
class _Way:
    """Hold one way of showing a place: forms and sets by block, and the figures that it shows."""

    option: Alternative
    shows: tuple[Figure, ...]
    of_matched: bool = False


@dataclass(frozen=True)
class AskedMeans:
    """Hold the means that a study's results show, and the sets of firms that they are of."""

    results: StudyResults
    blocks: Sequence[Block]

    @cached_property
    def shown(self) -> StayingMeans:
        """Return what may be shown of what the results show."""
        ways = [(figure, found) for figure in self.asked if (found := self._ways(figure))]
        candidates = [
            Candidate(self._need(figure), tuple(way.option for way in found))
            for figure, found in ways
        ]
        chosen = zip(ways, admitted(candidates, self._guards), strict=True)
        kept = [found[number] for (_, found), number in chosen if number is not None]
        return StayingMeans(
            figures={figure for way in kept for figure in way.shows},
            of_matched={found for way in kept if way.of_matched for found, _ in way.shows},
        )

    @cached_property
    def asked(self) -> dict[Figure, None]:
        """Return what is shown of places with firms, before anything is hidden, in order."""
        return dict.fromkeys(f for f in shown_figures(self.results) if f[0] in self._home)

    @cached_property
    def _home(self) -> dict[Place, Block]:
        """Return the block of each place."""
        return {found: block for block in self.blocks for found, _ in block.sets}

    @cached_property
    def _dominated(self) -> set[tuple[Place, bool]]:
        return dominated_sets(self.results)

    @cached_property
    def _guards(self) -> dict[int, Guard]:
        """Return what may not be told of each block, means that one firm dominates among it."""
        secret: dict[int, list[Floats]] = {block.number: [] for block in self.blocks}
        for found, treated in self._dominated:
            block = self._home.get(found)
            if block is not None and block.measured:
                form = block.treated(found) if treated else block.comparison(found)
                secret[block.number].append(form)
        rule = self.results.settings.exhibit.disclosure
        return {own.number: Guard(own, rule, secret[own.number]) for own in self.blocks}

    def _ways(self, figure: Figure) -> list[_Way]:
        """Return the ways of showing a figure, the best first; none where another one shows it."""
        (table, design, stack, sample, variable, *_), what = figure
        if table != BALANCE.name or sample == "after":
            return [_Way(self._option(figure), (figure,))] if self._fit(figure) else []
        own = [(figure[0], told) for told in (MEAN, DIFFERENCE) if (figure[0], told) in self.asked]
        if what == DIFFERENCE:
            return [] if len(own) > 1 else [_Way(self._option(figure), (figure,))]
        ways = [_Way(self._option(*own), tuple(own))] if self._fit(figure) else []
        after = (place(table, design, variable, stack=stack, sample="after"), MEAN)
        if sample == "before" and after in self.asked and self._fit(figure) and self._fit(after):
            ways += [_Way(self._of_matched(figure, after), tuple(own), of_matched=True)]
        return ways + [_Way(self._option(one), (one,)) for one in own if one[1] == DIFFERENCE]

    def _fit(self, figure: Figure) -> bool:
        """Say whether no group of a mean is dominated by one firm."""
        found, what = figure
        return what != MEAN or not {(found, True), (found, False)} & self._dominated

    def _option(self, *figures: Figure) -> Alternative:
        """Return what figures of one place tell; a path at one time tells that of the reference."""
        forms, sets = dict[int, list[Floats]](), dict[int, Flags]()
        for figure in self._with_reference(figures):
            found, what = figure
            block = self._home[found]
            forms.setdefault(block.number, []).append(_forms(block, figure))
            if what == MEAN:
                sets[block.number] = block.members(found)
        return Alternative({number: np.concatenate(of) for number, of in forms.items()}, sets)

    def _with_reference(self, figures: tuple[Figure, ...]) -> Iterator[Figure]:
        for found, what in figures:
            yield found, what
            table, design, _, _, outcome, *_ = found
            if table == OUTCOME_PATHS.name:
                time = reference_event_time(self.results)
                reference = place(table, design, outcome, event_time=time)
                # an outcome that is first observed after entry has none
                if reference in self._home:
                    yield reference, what

    def _of_matched(self, before: Figure, after: Figure) -> Alternative:
        """Return what means before matching tell where the treated are those after it."""
        block = self._home[before[0]]
        forms = np.array([block.treated(after[0]), block.comparison(before[0])])
        sets = np.array([block.members(after[0])[0], block.members(before[0])[1]])
        return Alternative({block.number: forms}, {block.number: sets})

    def _need(self, figure: Figure) -> tuple[int, ...]:
        """Return a figure's place in the order, paths at the reference first."""
        (table, design, stack, sample, _, time, *_), what = figure
        settings = self.results.settings
        headline = settings.estimate.headline.design
        shown = MEAN if sample in ("before", "on_support") else what
        rank = _NEED.index((design == headline, stack == "all", table, shown, sample))
        designs = ["unmatched", *settings.match.designs]
        own = designs.index(design) if design in designs else len(designs)
        later = 0 if time is None else abs(time - reference_event_time(self.results))
        return rank, own, 0 if stack == "all" else int(stack), later


def _forms(block: Block, figure: Figure) -> Floats:
    """Return what a figure tells: the sums of its groups, or the difference of their means."""
    found, what = figure
    return block.difference(found)[None, :] if what == DIFFERENCE else block.means(found)


def hide_means(results: StudyResults, blocks: Sequence[Block]) -> StudyResults:
    """Hide means, and standardised differences, from which too much could be worked out.

    Of what no block knows only those that one firm dominates.
    """
    published = AskedMeans(results, blocks)
    shown = published.shown
    balance = with_matched(results.balance, shown.of_matched)
    hidden = {(found, MEAN) for found, _ in dominated_sets(results)}
    hidden |= set(published.asked) - shown.figures
    return hide_figures(replace(results, balance=balance), hidden)

"""Every estimate that params ask for: spec x design x outcome."""

from pipeline.analyses.analyses import add_analyses
from pipeline.effects.clusters import Remade, require_valid
from pipeline.effects.description import baseline_facts, outcome_paths, sample_facts
from pipeline.effects.labels import spec_label
from pipeline.effects.ledger import Ledger, Results
from pipeline.effects.rows import Label, missing_row, summary_term
from pipeline.effects.sample import StackedSample, check_comparable
from pipeline.effects.study import Study, asked, outcome_sample
from pipeline.errors import IdentificationError
from pipeline.estimators.estimators import ESTIMATORS, MATCHED_ANEW
from pipeline.estimators.matched_difference import difference_results
from pipeline.inference.bootstrap import Redo
from pipeline.inference.bootstrap_rows import bootstrap_rows
from pipeline.inference.errors_by_firm import caution_errors_by_firm
from pipeline.inference.match_order import order_facts
from pipeline.inference.multiplicity import family_tests
from pipeline.inference.randomisation_rows import randomisation_rows
from pipeline.inference.romano_wolf import romano_wolf_tests
from pipeline.params.estimate import Spec
from pipeline.progress import track


def estimate_specs(study: Study, redo: Redo | None = None) -> Results:
    """Estimate every spec on its designs and outcomes; return the four results tables.

    What cannot be estimated is a row with the reason. `redo` is what it takes to make weights
    again, for the bootstrap and for other orders of matching. Raises IdentificationError where an
    outcome is never observed before entry, or a spec's inference is not valid for a design.
    """
    _check_inference(study, redo)
    ledger = Ledger()
    wanted = list(asked(study))
    for design, name, specs in track(wanted, "outcomes and designs", len(wanted)):
        if not study.outcomes[name].observed:
            _add_unobserved(ledger, study, specs, design, name)
            continue
        sample = outcome_sample(study, design, name)
        _describe(ledger, study, sample, name)
        for spec in specs:
            _add_spec(ledger, study, spec, sample, name)
    if redo is not None:
        difference_results(ledger, study, redo)
        ledger.estimates += bootstrap_rows(study, redo, ledger.estimates)
        ledger.estimates += randomisation_rows(study, redo, ledger.estimates)
        ledger.facts += order_facts(study, redo)
    ledger.tests += family_tests(ledger.estimates, study.outcomes)
    if study.estimate.romano_wolf is not None:
        ledger.tests += romano_wolf_tests(ledger, study.outcomes, study.estimate.romano_wolf)
    add_analyses(ledger, study, redo)
    caution_errors_by_firm(ledger, study)
    return ledger.tables(study.estimate.headline.spec)


def _check_inference(study: Study, redo: Redo | None) -> None:
    """Refuse, before anything is estimated, inference that a design does not allow."""
    for spec in study.estimate.specs:
        if spec.estimator not in ("stacked", "matched_difference"):
            continue
        for design in spec.designs:
            require_valid(spec, study.stacks[design], redo.rule(design) if redo else Remade())


def _add_unobserved(
    ledger: Ledger, study: Study, specs: list[Spec], design: str, name: str
) -> None:
    reason = f"not observed: {study.outcomes[name].reason}"
    for spec in specs:
        _add_missing(ledger, spec_label(study, spec, design, name), spec, reason)


def _add_missing(ledger: Ledger, label: Label, spec: Spec, reason: str) -> None:
    """Add one row per term asked for, each with the reason."""
    ledger.estimates += [missing_row(label, summary_term(term), reason) for term in spec.terms]


def _describe(ledger: Ledger, study: Study, sample: StackedSample, name: str) -> None:
    design = sample.stacks.design
    ledger.add_facts(design, name, sample_facts(sample))
    if len(sample.y):
        ledger.add_facts(design, name, baseline_facts(sample, study.panel, study.outcomes[name]))
        ledger.paths.append(outcome_paths(sample, name))


def _add_spec(ledger: Ledger, study: Study, spec: Spec, sample: StackedSample, name: str) -> None:
    if spec.estimator in MATCHED_ANEW:
        return
    label = spec_label(study, spec, sample.stacks.design, name)
    in_ratios = study.outcomes[name].transform == "proportional"
    try:
        check_comparable(sample)
        ESTIMATORS[spec.estimator].adder(in_ratios)(ledger, study, spec, label, sample)
    except IdentificationError as reason:
        _add_missing(ledger, label, spec, str(reason))

"""Say whose baseline means are, where they are not those of the firms counted beside them."""

from pipeline.datasets.fits import FITS
from pipeline.datasets.samples import BASELINES
from pipeline.exhibits.details import known_or_nan
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import Ran, ran
from pipeline.exhibits.tables.panels import Shown, main_letter
from pipeline.exhibits.words.language import join_words, say


def means_of_others(results: StudyResults, shown: Shown) -> list[str]:
    """Return a caution where the foot's means are of other firms than the estimates."""
    panel = shown.panels[main_letter(results, shown)]
    rows = {n: ran(results, panel.design, name, panel.spec) for n, name in shown.columns.items()}
    known = {n: row for n, row in rows.items() if row is not None}
    label, firms = results.settings.design_label(panel.design), results.settings.exhibit.firms
    wider = [n for n, row in known.items() if row.code("firms") == "panel"]
    zeros = [n for n, row in known.items() if _leaves_out_zeros(results, row)]
    fewer = [n for n, row in known.items() if not _of_all(results, row) and n not in wider]
    found = {
        "means.of_design": wider,
        "means.with_zeros": zeros,
        "means.of_fewer": fewer,
    }
    return [
        say(code, columns=name_columns(columns), firms=firms, design_label=label)
        for code, columns in found.items()
        if columns
    ]


def name_columns(numbers: list[int]) -> str:
    """Return `Column 1`, or `Columns 1 and 2`."""
    code = "short_notes.column" if len(numbers) == 1 else "short_notes.columns"
    return say(code, numbers=join_words([str(number) for number in numbers]))


def _of_all(results: StudyResults, row: Ran) -> bool:
    """Say whether every comparison firm of the sample is in the mean; so it is without a mean."""
    place = {"design": row.code("design"), "outcome": row.code("outcome"), "treated": False}
    found = results.details.records(BASELINES, **place)
    return not found or bool(found[0]["of_all"])


def _leaves_out_zeros(results: StudyResults, row: Ran) -> bool:
    """Say whether a regression in ratios left out firms that are zero throughout."""
    key = {name: row.code(name) for name in ("design", "outcome", "estimator")}
    left_out = results.details.records(FITS, **key)
    return any(known_or_nan(one["n_all_zero"]) > 0 for one in left_out)

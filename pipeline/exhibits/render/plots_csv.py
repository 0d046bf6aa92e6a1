"""Effects by year since entry as small files that `dvc plots diff` draws over each other."""

import pandas as pd

from pipeline.exhibits.inputs import StudyResults, by_event_time, find_effects


def plots_csv(results: StudyResults) -> dict[str, bytes]:
    """Return one CSV an outcome, `effect_<outcome>.csv`: event time, estimate and interval.

    The headline's design and estimator; outcomes without effects by event time have no file. Where
    none has any, the first outcome's has no rows: DVC fails a stage that leaves the folder out.
    """
    headline = results.settings.estimate.headline
    files: dict[str, bytes] = {}
    for name in results.settings.outcomes.intended:
        effects = by_event_time(find_effects(results, name, headline.design, headline.spec))
        rows = [
            (time, effect.estimate, effect.conf_low, effect.conf_high)
            for time, effect in sorted(effects.items())
            if effect.estimated
        ]
        if rows:
            files[_file(name)] = _csv(rows)
    return files or {_file(next(iter(results.settings.outcomes.intended))): _csv([])}


def _file(outcome: str) -> str:
    return f"plots/effect_{outcome}.csv"


def _csv(rows: list[tuple[int, float, float, float]]) -> bytes:
    table = pd.DataFrame(rows, columns=["event_time", "estimate", "conf_low", "conf_high"])
    text: str = table.to_csv(index=False, lineterminator="\n", float_format="%.8g")
    return text.encode("utf-8")

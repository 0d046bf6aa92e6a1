"""Effects by year since entry as small files that `dvc plots diff` draws over each other."""

import pandas as pd

from pipeline.exhibits.inputs import StudyResults, by_event_time, find_effects


def plots_csv(results: StudyResults) -> dict[str, bytes]:
    """Return one CSV an outcome, `effect_<outcome>.csv`: event time, estimate and interval.

    The headline's design and estimator; outcomes without effects by event time have no file.
    """
    headline = results.settings.estimate.headline
    files = {}
    for name in results.settings.outcomes.intended:
        effects = by_event_time(find_effects(results, name, headline.design, headline.spec))
        rows = [
            (time, effect.estimate, effect.conf_low, effect.conf_high)
            for time, effect in sorted(effects.items())
            if effect.estimated
        ]
        if rows:
            table = pd.DataFrame(rows, columns=["event_time", "estimate", "conf_low", "conf_high"])
            text = table.to_csv(index=False, lineterminator="\n", float_format="%.8g")
            files[f"plots/effect_{name}.csv"] = text.encode("utf-8")
    return files

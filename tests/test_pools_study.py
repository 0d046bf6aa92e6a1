"""A programme whose neighbours gain more than its participants, from delivered files to POOLS."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from arms_study import STUDY, delivered, section
from marked_study import run
from workspace import project

from pipeline.datasets.pools import POOLS
from pipeline.datasets.store import read

POOLS_ASKED = {
    "everybody": {"kind": "everyone"},
    "unexposed": {"kind": "unexposed", "to": ["near"]},
    "outside": {"kind": "outside", "columns": ["place"]},
    "beyond_5": {"kind": "beyond", "ring": "near", "km": 5.0},
    "metal": {"kind": "among", "column": "sector", "values": ["metal"]},
}
# what participation adds to sales of those that train, and of those within 5 km of somebody
OWN, NEAR = 0.05, 0.8


@pytest.fixture(scope="module")
def pools(tmp_path_factory) -> pd.DataFrame:
    """Return POOLS of sales by pool, of a study run by its stages."""
    folder = tmp_path_factory.mktemp("pools")
    block = section(pools=POOLS_ASKED)
    block["outcomes"] = {"sales_log": block["outcomes"]["sales_log"]}
    block["estimate"]["specs"]["stacked"]["cluster"] = "exposure_component"
    return in_folder(folder, block)


def in_folder(folder: Path, block: dict) -> pd.DataFrame:
    project(folder, {STUDY: block})
    panel, register = delivered()
    number = panel["firm"].str[1:].astype(int)
    entry = 2010 + number // 14 % 2
    after = (number // 14 < 30) & (panel["year"] >= entry)
    trained, near = after & (number % 14 < 2), after & (number % 14).between(4, 8)
    panel["sales"] *= np.exp((OWN - 0.12) * trained + (NEAR - 0.05) * near)
    raw = folder / "data" / "raw" / STUDY
    panel.to_csv(raw / "panel.csv", index=False)
    register.to_csv(raw / "register.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("sys.argv", ["stage", STUDY])
        for verb in ("obtain", "clean", "score", "match", "balance", "estimate"):
            run(verb)
    return read(POOLS, folder / "data" / STUDY / "estimate").set_index("pool")


@pytest.mark.slow
def test_everybody_else_as_pool_gives_the_wrong_sign(pools):
    clean, naive = pools.loc["clean"], pools.loc["everybody"]
    assert 0 < clean["conf_low"] < OWN < clean["conf_high"]
    assert naive["conf_high"] < 0
    assert naive["difference_conf_high"] < 0
    # what makes it wrong: of its 720 comparison firms 150 gained 0.8, and 150 more a little
    assert naive["share_not_clean"] == pytest.approx(300 / 720)
    # a pool without them has the clean one's sign
    assert pools.loc["beyond_5", "conf_low"] > 0
    assert pools.loc[["unexposed", "outside"], "reason"].to_list() == ["pool_as_clean"] * 2

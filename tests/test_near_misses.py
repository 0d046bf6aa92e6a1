"""Beneficiaries that are nearly in the panel: found by kind, settled by a rule, or left out."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import DataError
from pipeline.panel.clean import clean_panel
from pipeline.panel.near_misses import near_misses
from pipeline.panel.unfound import Listed, settle_unfound
from pipeline.panel.values import firm_identifier
from pipeline.params.clean import CleanSection
from pipeline.params.data import DataSection
from pipeline.params.identifier import Identifier
from pipeline.params.treatment import TreatmentSection

# Identifiers far from each other, with zeros in front: 40 firms, of which 12 are beneficiaries.
IDS = [f"{n:08d}" for n in 71_317 + np.random.default_rng(7).permutation(80_000)[:40] * 111]
LETTERS = [f"ab{identifier[1:]}" for identifier in IDS]
N = 12
YEARS = range(2001, 2004)
REGISTER = {"source": "register", "programme": None, "other_programmes": "keep"}
NUMBER = {"kind": "number", "column": "sales", "unit": "US$", "label": "Sales"}
NAMED = {"kind": "text", "column": "called", "label": "Name"}


def settled(panel_ids, register_ids, identifier=None, why=None):
    """Return who is not found of a register, both sides written as declared."""
    rules = {"identifier": Identifier.model_validate(identifier or {})}
    firms = firm_identifier(as_read(panel_ids), "id", rules["identifier"])
    listed = firm_identifier(as_read(register_ids), "firm", rules["identifier"], "register")
    years = pd.Series(2002, index=pd.Index(listed), dtype="Int64")
    clean = CleanSection.model_validate(
        {"duplicates": {"identical": "refuse", "conflicting": "refuse"}} | rules
    )
    found = Listed(years, pd.Index([], dtype="str"))
    return settle_unfound(found, pd.DataFrame({"firm_id": firms}), clean, why)


def cleaned(
    panel_ids,
    register_ids,
    identifier=None,
    why=None,
    *,
    gain=0.0,
    entry=None,
    rules=None,
    tables=None,
    **register,
):
    """Clean a panel of firms by the order of `panel_ids` and a register of beneficiaries.

    Sales rise by 1 until the last year; those of the first N firms by `gain` more.
    """
    panel = pd.DataFrame(
        [
            (firm, year, 10.0 + i + (year == 2003) * (1 + gain * (i < N)), f"Firm {i}")
            for i, firm in enumerate(panel_ids)
            for year in YEARS
        ],
        columns=["id", "yr", "sales", "called"],
    )
    columns = {"firm_id": "firm", "entry_year": "entry"} | {n: n for n in register}
    listed = pd.DataFrame({"firm": register_ids, "entry": 2002, **register})
    window = {"first_event_time": -1, "last_event_time": 1}
    return clean_panel(
        panel,
        listed,
        tables or {},
        data=DataSection.model_validate(
            {"source": {"kind": "files", "panel": "p.csv"}, "firm_id": "id", "year": "yr"}
            | {"cluster": ["firm_id"], "columns": {"sales": NUMBER, "called": NAMED}}
            | {"register_columns": columns}
        ),
        clean=CleanSection.model_validate(
            {"duplicates": {"identical": "refuse", "conflicting": "refuse"}}
            | {"identifier": identifier or {}}
            | (rules or {})
        ),
        treatment=TreatmentSection.model_validate(
            {"entry": REGISTER | (entry or {})}
            | {"anticipation_years": 0, "comparison": "never_treated", "window": window}
            | {"unfound": why}
        ),
    )


def treated(ledger):
    return ledger.panel.loc[ledger.panel["cohort"].notna(), "firm_id"].nunique()


def swapped(identifier):
    at = next(i for i in range(3, 7) if identifier[i] != identifier[i + 1])
    return identifier[:at] + identifier[at + 1] + identifier[at] + identifier[at + 2 :]


def as_read(values):
    return pd.Series(values, dtype=object)


# Panel, how the register writes its identifiers, kinds, and the rules that join them.
DAMAGES = {
    "zeros lost": (IDS, lambda i: i.lstrip("0"), {"width": {"width": 8}}),
    "zeros lost in the panel": (
        [i.lstrip("0") for i in IDS], lambda i: i.zfill(8), {"width": {"width": 8}}
    ),
    "numbers": (IDS, float, {"width": {"width": 8}}),
    "small letters": (LETTERS, str.upper, {"case": {"case": "upper"}}),
    "mixed letters": (LETTERS, str.capitalize, {"case": {"case": "lower"}}),
    "spaces within": (IDS, lambda i: f"{i[:3]} {i[3:]}", {"spaces": {"spaces": "remove"}}),
    "no-break spaces": (
        IDS, lambda i: f"{i[:3]}\u00a0{i[3:6]}\u202f{i[6:]}", {"spaces": {"spaces": "remove"}}
    ),
    "byte-order mark": (IDS, lambda i: f"\ufeff{i}", {"spaces": {"spaces": "remove"}}),
    "zero-width space": (IDS, lambda i: f"{i}\u200b", {"spaces": {"spaces": "remove"}}),
    "decimal commas": (IDS, lambda i: f"{i},0", {"decimals": {"decimals": "remove"}}),
    "two decimals": (IDS, lambda i: f"{i}.00", {"decimals": {"decimals": "remove"}}),
    "decimals in quotes": (
        IDS, lambda i: f'"{i}.0"',
        {"decimals": {"decimals": "remove"}, "characters": {"characters": "remove"}},
    ),
    "too long for its cell": (
        [f"{int(i)}{i[::-1]}" for i in IDS], lambda i: f"{float(i):.15E}",
        {"decimals": {"decimals": "remove"}},
    ),
    "points": (
        IDS, lambda i: f"{i[:2]}.{i[2:5]}.{i[5:]}", {"characters": {"characters": "remove"}}
    ),
    "slashes in the panel": (
        [f"{i[:4]}/{i[4:]}" for i in IDS], lambda i: i.replace("/", ""),
        {"characters": {"characters": "remove"}},
    ),
    "apostrophe of a spreadsheet": (
        IDS, lambda i: f"'{i}", {"characters": {"characters": "remove"}}
    ),
    "full-width digits": (
        IDS, lambda i: i.translate({48 + d: 0xFF10 + d for d in range(10)}),
        {"characters": {"characters": "remove"}},
    ),
    "check digit in the register": (
        IDS, lambda i: f"{i}K", {"check_digit": {"drop_check_digit": "register"}}
    ),
    "check digit in the panel": (
        IDS, lambda i: i[:-1], {"check_digit": {"drop_check_digit": "panel"}}
    ),
    "dash and check digit": (
        IDS, lambda i: f"{i[:2]}.{i[2:5]}.{i[5:]}-K",
        {"characters": {"characters": "remove"}, "check_digit": {"cut_at": "-"}},
    ),
    "check digit after a dash in the panel": (
        [f"{i}-K" for i in IDS], lambda i: i[:-2],
        {"characters": {"characters": "remove"}, "check_digit": {"cut_at": "-"}},
    ),
    "zeros and letters": (
        [f"0{i}" for i in LETTERS], lambda i: i[1:].upper(),
        {"case": {"case": "upper"}, "width": {"width": 10}},
    ),
    "all at once": (
        [f"0{i}" for i in LETTERS], lambda i: f" {i[1:4].upper()}-{i[4:]}\u00a0,0",
        {"spaces": {"spaces": "remove"}, "decimals": {"decimals": "remove"},
         "characters": {"characters": "remove"}, "case": {"case": "upper"},
         "width": {"width": 10}},
    ),
}  # fmt: skip


def half(panel_ids, written):
    """Return identifiers of the beneficiaries, of whom every second is written otherwise."""
    return as_read([written(i) if n % 2 else i for n, i in enumerate(panel_ids[:N])])


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damage_stops_until_its_rules_are_set_and_then_everyone_is_found(name):
    panel_ids, written, rules = DAMAGES[name]
    with pytest.raises(DataError) as raised:
        settled(panel_ids, half(panel_ids, written))
    message = str(raised.value)
    assert message.startswith(f"{N // 2} of {N} beneficiaries of the register"), message
    assert set(re.findall(r"(?:by|;) (\w+) \d", message)) == set(rules)
    for kind in rules:
        assert f"{kind} {N // 2} (clean.identifier." in message
    assert set(raised.value.problems["firm_id"]) == set(panel_ids[1:N:2])
    assert not any(i.lstrip("0") in message for i in panel_ids)
    joined = {key: value for rule in rules.values() for key, value in rule.items()}
    # a check digit is in every identifier of a table, or in none
    everyone = as_read([written(i) for i in panel_ids[:N]])
    register = everyone if "drop_check_digit" in joined else half(panel_ids, written)
    found = settled(panel_ids, register, joined)
    assert found.beneficiaries.empty
    assert found.nearly.empty
    assert not found.issues


@pytest.mark.parametrize("name", DAMAGES)
def test_of_declined_near_misses_the_panel_s_firms_are_known_and_counted(name):
    panel_ids, written, rules = DAMAGES[name]
    declined = {"near_misses": list(rules)}
    found = settled(panel_ids, half(panel_ids, written), declined, "not to be had")
    assert set(found.nearly) == set(panel_ids[1:N:2])
    counts = {issue.rule.code: issue.count for issue in found.issues}
    assert counts == {"not_in_panel": N // 2} | {f"near_miss_{kind}": N // 2 for kind in rules}


@pytest.mark.parametrize(("n_others", "shown"), [(0, True), (3, False), (6, True)])
def test_kinds_are_not_counted_where_they_would_tell_how_few_others_are_not_found(n_others, shown):
    register = [*(i.lstrip("0") for i in IDS[:N]), *(f"x{n}y{n}z" for n in range(n_others))]
    found = settled(IDS, register, {"near_misses": "decline"}, "closed")
    told = [issue.count for issue in found.issues if issue.rule.code == "near_miss_width"]
    assert told == ([N] if shown else [])
    assert len(found.nearly) == N


def test_declined_near_misses_leave_the_comparison_with_a_step_of_their_own():
    register = [i.lstrip("0") if n % 2 else i for n, i in enumerate(IDS[:N])]
    ledger = cleaned(IDS, register, {"near_misses": "decline"}, why="not to be had")
    assert not set(ledger.panel["firm_id"]) & set(IDS[1:N:2])
    assert treated(ledger) == N // 2
    flow = ledger.sample_flow.set_index("rule")
    assert flow.loc["not_nearly_a_beneficiary", "comparison_firms_lost"] == N // 2


def test_a_register_that_lost_half_its_zeros_gives_the_right_effect_once_the_rule_is_set():
    lost = [i.lstrip("0") if n % 2 else i for n, i in enumerate(IDS[:N])]
    with pytest.raises(DataError, match=r"width 6 \(clean.identifier.width: 8\)"):
        cleaned(IDS, lost, gain=4.0)
    joined = cleaned(IDS, lost, {"width": 8}, gain=4.0).panel
    pd.testing.assert_frame_equal(joined, cleaned(IDS, IDS[:N], gain=4.0).panel)
    change = joined.pivot(index="firm_id", columns="year", values="sales")
    change = (change[2003] - change[2001]).groupby(
        joined.groupby("firm_id")["cohort"].first().notna()
    )
    assert change.mean().tolist() == [1.0, 5.0]


def test_decimals_of_numbers_are_never_read_as_digits():
    assert treated(cleaned(IDS, as_read([f"{i}.0" for i in IDS[:N]]))) == N


def test_two_digits_in_the_other_order_are_named_one_by_one():
    register = [swapped(i) if n < 2 else i for n, i in enumerate(IDS[:N])]
    with pytest.raises(DataError, match=r"transposition 2 \(list those .* clean.links\)") as raised:
        cleaned(IDS, register)
    found = raised.value.problems.set_index("register_id")["firm_id"].to_dict()
    assert found == {swapped(i): i for i in IDS[:2]}


def test_digits_that_swapping_moves_in_front_as_a_zero_are_no_near_miss():
    firms = pd.Index(["2345678", *IDS])
    assert near_misses(pd.Index(["20345678"]), firms, np.random.default_rng(1)).empty
    padded = near_misses(
        pd.Index(["20345678"]), pd.Index(["02345678", *IDS]), np.random.default_rng(1)
    )
    assert padded["transposition"].tolist() == [True] and not padded["width"].any()


def test_another_last_digit_is_a_near_miss_where_identifiers_are_sparse():
    register = [f"{i[:-1]}{9 - int(i[-1])}" if n < 2 else i for n, i in enumerate(IDS[:N])]
    with pytest.raises(DataError, match="other_check_digit 2"):
        cleaned(IDS, register)


def test_where_identifiers_are_dense_one_digit_off_is_another_firm():
    dense = [f"{n:04d}" for n in range(1, 2000, 2)]
    unfound = [f"{n:04d}" for n in range(0, 60, 2)]
    pairs = near_misses(pd.Index(unfound), pd.Index(dense), np.random.default_rng(1))
    assert pairs.empty
    lost = near_misses(pd.Index(["3", "77"]), pd.Index(dense), np.random.default_rng(1))
    assert lost["firm_id"].tolist() == ["0003", "0077"]
    assert lost["width"].all()


def test_who_is_nearly_two_firms_is_counted_apart_and_both_leave():
    panel_ids = [*IDS, f"{IDS[0]}A", f"{IDS[0]}B"]
    register = [f"{IDS[0]}-C", *IDS[1:N]]
    with pytest.raises(DataError, match="1 of them nearly match more than one firm"):
        cleaned([*panel_ids[1:]], register)
    ledger = cleaned(panel_ids[1:], register, {"near_misses": "decline"})
    assert not set(ledger.panel["firm_id"]) & {f"{IDS[0]}A", f"{IDS[0]}B"}


def test_a_beneficiary_that_is_found_stays_although_another_is_nearly_it():
    register = [*IDS[:N], IDS[0].lstrip("0")]
    ledger = cleaned(IDS, register, {"near_misses": ["width"]})
    assert treated(ledger) == N
    assert "not_nearly_a_beneficiary" not in set(ledger.sample_flow["rule"])


def test_unfound_without_near_misses_do_not_stop_below_one_in_five():
    register = [*IDS[:N], "999999999991", "x"]
    counts = cleaned(IDS, register).issues.set_index("rule")["count"]
    assert counts["not_in_panel"] == 2
    many = [*IDS[:3], "999999999991"]
    with pytest.raises(
        DataError, match=r"1 of 4 .*\(25 percent\).* treatment.unfound must say why"
    ):
        cleaned(IDS, many)
    assert treated(cleaned(IDS, many, why="closed")) == 3


AMOUNTS = [100.0] * 14 + [300.0] * 6


@pytest.mark.parametrize(
    ("amounts", "told"),
    [
        (AMOUNTS, [{"amount": 1800.0, "percent": 56}]),
        ([100.0] * 19 + [9000.0], []),
        ([9000.0] + [100.0] * 19, []),
        ([100.0] * 15 + [np.nan] * 5, []),
    ],
)
def test_what_the_unfound_had_is_told_where_it_tells_of_no_firm(amounts, told):
    register = [*IDS[:14], *(f"x{n}y{n}" for n in range(6))]
    ledger = cleaned(IDS, register, why="closed", amount=amounts)
    rows = ledger.issues[ledger.issues["rule"] == "amount_not_in_panel"]
    assert [pd.io.json.ujson_loads(fields) for fields in rows["rule_fields"]] == told


def test_names_are_compared_on_request_and_join_nothing():
    register = [*IDS[2:N], "999999999991", "999999999992"]
    names = [*(f"Firm {n}" for n in range(2, N)), "FIRM  0", "Other, entirely"]
    asked = {"name_column": "called", "least_name_score": 95}
    plain = cleaned(IDS, register, asked | {"near_misses": ["name"]}, name=names)
    assert IDS[0] not in set(plain.panel["firm_id"])
    assert IDS[1] in set(plain.panel["firm_id"])
    with pytest.raises(DataError, match=r"1 of 12 .* by name 1 \(list those"):
        cleaned(IDS, register, asked, name=names)


RUTS = ["76086428-5", "60803000-K", "96790240-3", "12531909-2", "30686957-4", "16685951-4"]


@pytest.mark.parametrize(
    ("identifier", "spoilt", "wrong"),
    [
        ({"check_digit": "rut"}, RUTS, 0),
        ({"check_digit": "rut"}, ["76086428-4", *RUTS[1:]], 1),
        ({"check_digit": "rut", "cut_at": "-"}, ["76086428-4", *RUTS[1:]], 1),
        ({"check_digit": "rut", "drop_check_digit": "both", "characters": "remove"},
         ["76086428-4", "60803000-1", *RUTS[2:]], 2),
    ],
)  # fmt: skip
def test_wrong_check_digits_are_counted(identifier, spoilt, wrong):
    pytest.importorskip("stdnum")
    ledger = cleaned(RUTS, spoilt[:2], identifier | {"near_misses": "decline"}, why="typing errors")
    counts = ledger.issues.set_index("rule")["count"]
    assert counts.get("wrong_check_digit_register", 0) == wrong
    assert "wrong_check_digit_panel" not in counts


# What happens to an identifier on its way into a register, none of which makes another firm's.
WAYS = st.sampled_from(
    [
        lambda i: i.lstrip("0"),
        lambda i: f"00{i}",
        str.upper,
        str.lower,
        lambda i: f" {i}\u2009",
        lambda i: f"{i[:3]}\u00a0{i[3:]}",
        lambda i: f"\ufeff{i}",
        lambda i: f"{i[:2]}.{i[2:]}",
        lambda i: f"{i[:4]}-{i[4:]}",
        lambda i: f"n/{i}"[2:],
        lambda i: f"({i})",
        lambda i: i.translate({48 + d: 0xFF10 + d for d in range(10)}),
    ]
)
DIGIT = st.sampled_from([lambda i: i, lambda i: f"{i}K", lambda i: i[:-1], swapped])


@settings(max_examples=8, deadline=None, derandomize=True)
@given(
    damages=st.lists(st.tuples(st.lists(WAYS, max_size=4), DIGIT), min_size=1, max_size=8),
    letters=st.booleans(),
)
def test_whatever_way_an_identifier_is_written_its_firm_never_serves_silently(damages, letters):
    panel_ids = LETTERS if letters else IDS
    written = []
    for firm, (ways, digit) in zip(panel_ids, damages, strict=False):
        spoilt = digit(firm)
        for way in ways:
            spoilt = way(spoilt)
        written.append(spoilt)
    found = settled(panel_ids, written, {"near_misses": "decline"}, "typing errors")
    known = set(panel_ids)
    for firm, spoilt in zip(panel_ids, firm_identifier(as_read(written), "firm"), strict=False):
        assert spoilt in known or spoilt in found.beneficiaries.index
        assert spoilt in known or firm in found.nearly


@settings(max_examples=8, deadline=None, derandomize=True)
@given(written=st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=5))
def test_any_text_is_found_or_counted(written):
    kept = [i for i in written if i.strip()]
    if not kept:
        return
    everyone = firm_identifier(as_read(kept), "firm") if not any("#" in i for i in kept) else None
    if everyone is None or everyone.duplicated().any():
        return
    found = settled(IDS, kept, {"near_misses": "decline"}, "typing errors")
    assert set(found.beneficiaries.index) == set(everyone) - set(IDS)
    assert found.nearly.isin(IDS).all()


def test_links_join_those_whose_digits_are_in_the_other_order():
    wrong = [swapped(i) for i in IDS[:2]]
    links = pd.DataFrame({"old_id": wrong, "new_id": IDS[:2]})
    rule = {"links": {"file": "links.csv", "add_up": None, "split": "refuse"}}
    ledger = cleaned(IDS, [*wrong, *IDS[2:N]], rules=rule, tables={"links.csv": links})
    assert treated(ledger) == N


@pytest.mark.parametrize(("others", "stops"), [("exclude", True), ("exclude_all", True),
                                               ("covariate", True), ("keep", False)])  # fmt: skip
def test_firms_of_other_programmes_must_be_found_where_they_matter(others, stops):
    register = [*IDS[:N], *(i.lstrip("0") for i in IDS[N : N + 4])]
    programmes = ["cdp"] * N + ["other"] * 4
    entry = {"programme": "cdp", "other_programmes": others}
    if not stops:
        assert treated(cleaned(IDS, register, entry=entry, programme=programmes)) == N
        return
    with pytest.raises(DataError, match=r"by width 4 \(clean.identifier.width: 8\)"):
        cleaned(IDS, register, entry=entry, programme=programmes)
    left = cleaned(
        IDS, register, {"near_misses": "decline"}, entry=entry, programme=programmes
    ).panel
    assert not set(left["firm_id"]) & set(IDS[N : N + 4])


# Of six digits, zeros in front; the register shifts some to the left, with another last digit.
WIDE = [f"0{i[1:6]}" for i in dict.fromkeys(i[:6] for i in IDS)]


@pytest.mark.parametrize(("n", "stops"), [(1, False), (3, True)])
def test_a_rule_that_is_set_is_not_named_again_and_one_chance_case_does_not_stop(n, stops):
    register = [f"{i[1:]}7" if k < n else i for k, i in enumerate(WIDE[:N])]
    if not stops:
        found = settled(WIDE, register, {"width": 6})
        assert (len(found.beneficiaries), len(found.nearly)) == (n, 0)
        assert [issue.rule.code for issue in found.issues] == ["not_in_panel"]
        return
    with pytest.raises(DataError, match=rf"nearly, by check_digit {n} \(") as raised:
        settled(WIDE, register, {"width": 6})
    assert "width" not in str(raised.value)


def test_who_differs_in_several_ways_is_said_to_be_counted_in_each():
    with pytest.raises(DataError, match=r"several ways at once is counted in each"):
        settled(IDS, half(IDS, lambda i: f"{i[:2]}.{i[2:]}-K"))
    with pytest.raises(DataError) as raised:
        settled(IDS, half(IDS, lambda i: i.lstrip("0")))
    assert "at once" not in str(raised.value)


def test_a_check_digit_that_is_dropped_already_is_listed_one_by_one():
    register = [f"{i}KK" for i in IDS[:N]]
    with pytest.raises(DataError, match=rf"check_digit {N} \(list those") as raised:
        settled(IDS, register, {"drop_check_digit": "register"})
    assert "drop_check_digit: register" not in str(raised.value)

"""Kinds of near misses beyond spaces and zeros: parts, prefixes, letters for digits, mixed tables.

Each kind has an example and a seeded fuzz: whatever is done to identifiers is found by its kind,
with a rule that joins everyone once it is set, and where identifiers are dense it does not count.
"""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from ruamel.yaml import YAML
from test_near_misses import IDS, N, as_read, settled

from pipeline.errors import DataError
from pipeline.panel.clean import clean_panel
from pipeline.panel.near_misses import near_misses
from pipeline.panel.unfound import Listed, settle_unfound
from pipeline.panel.values import firm_identifier
from pipeline.params.clean import CleanSection
from pipeline.params.clean_faults import clean_faults
from pipeline.params.data import DataSection
from pipeline.params.identifier import Identifier
from pipeline.params.treatment import TreatmentSection

QUICK = settings(max_examples=4, deadline=None, derandomize=True)
SEEDS = st.integers(0, 10_000)
DUPLICATES = {"duplicates": {"identical": "refuse", "conflicting": "refuse"}}


def rng_of(seed):
    return np.random.default_rng(seed)


def sparse(seed, n=40, width=8):
    """Return identifiers far from each other, with zeros in front."""
    chosen = rng_of(seed).choice(10 ** (width - 2), size=n, replace=False) * 7 + 10 ** (width - 3)
    return [f"{one:0{width}d}" for one in chosen]


def refused(panel_ids, register, identifier=None, n_parts=1):
    with pytest.raises(DataError) as raised:
        joined(panel_ids, register, identifier, n_parts)
    return str(raised.value)


def joined(panel_ids, register, identifier=None, n_parts=1):
    """Return who is not found where firms have identifiers of so many parts."""
    rules = Identifier.model_validate(identifier or {}).of_parts(n_parts)
    firms = firm_identifier(as_read(panel_ids), "id", rules)
    listed = firm_identifier(as_read(register), "firm", rules, "register")
    years = pd.Series(2002, index=pd.Index(listed), dtype="Int64")
    clean = CleanSection.model_validate(DUPLICATES).model_copy(update={"identifier": rules})
    found = Listed(years, pd.Index([], dtype="str"))
    return settle_unfound(found, pd.DataFrame({"firm_id": firms}), clean, None)


def settings_in(message):
    """Return the settings that a message names, as params hold them."""
    found = re.findall(r"clean\.identifier\.(\w+): (\[[\d, ]+\]|\"[^\"]*\"|\w+)", message)
    return {name: YAML(typ="safe").load(value) for name, value in found if name != "near_misses"}


# ---- keys of several columns


def keys(seed, n=40):
    """Return keys of a town, written with four digits, and a plant in letters and digits."""
    rng = rng_of(seed)
    towns = rng.choice(np.arange(1, 3000), size=n)
    plants = rng.choice(10**6, size=n, replace=False)
    return [f"{town:04d}|p{plant:06d}" for town, plant in zip(towns, plants, strict=True)]


PART_WAYS = {
    "width": lambda i: i.lstrip("0"),
    "case": str.upper,
    "spaces": lambda i: f"{i[:2]}\u00a0{i[2:]}",
    "characters": lambda i: f"{i[:2]}-{i[2:]}",
    "decimals": lambda i: f"{i}.0",
}


@QUICK
@given(seed=SEEDS, ways=st.lists(st.sampled_from(list(PART_WAYS)), min_size=1, unique=True))
def test_every_part_of_a_key_is_compared_and_the_rule_joins_it(seed, ways):
    panel_ids, rng = keys(seed), rng_of(seed)
    register = []
    for one in panel_ids[:N]:
        town, plant = one.split("|")
        for way in sorted(ways, key=list(PART_WAYS).index):
            town = PART_WAYS[way](town) if way != "case" else town
            plant = PART_WAYS[way](plant) if way != "width" and rng.random() < 0.7 else plant
        register.append(f"{town}|{plant}")
    if register == panel_ids[:N]:
        return
    if not set(register) - set(panel_ids):
        return
    message = refused(panel_ids, register, n_parts=2)
    rules = settings_in(message)
    assert rules, message
    assert not any(part in message for one in panel_ids[:N] for part in one.split("|"))
    assert joined(panel_ids, register, rules, n_parts=2).beneficiaries.empty


def test_the_width_of_a_key_is_one_number_a_part():
    panel_ids = keys(1)
    register = [one.lstrip("0") for one in panel_ids[:N]]
    message = refused(panel_ids, register, n_parts=2)
    assert "(clean.identifier.width: [4, 0])" in message
    assert joined(panel_ids, register, {"width": [4, 0]}, n_parts=2).beneficiaries.empty


def test_marks_of_parts_are_no_sign_and_never_move():
    """1|23 is not 12|3, without signs and with two characters in the other order."""
    firms = pd.Index(["5017|p004411", "0333|p771122", *keys(2)])
    wanted = pd.Index(["501|7p004411", "033|3p771122", "50|17p004411"])
    assert near_misses(wanted, firms, rng_of(1), n_parts=2).empty


def test_what_no_rule_joins_of_a_key_is_listed_with_its_mark():
    panel_ids = keys(3)
    swapped = [f"{one[:6]}{one[7]}{one[6]}{one[8:]}" for one in panel_ids[:N]]
    swapped = [one for one in swapped if one not in panel_ids]
    message = refused(panel_ids, [*swapped, *panel_ids[N : N + 5]], n_parts=2)
    assert "clean.links, as the parts of data.firm_id joined by |" in message
    longer = [one.replace("|", "7|") for one in panel_ids[:N]]
    message = refused(panel_ids, longer, n_parts=2)
    assert "check_digit" in message and "drop_check_digit" not in message
    assert "joined by |" in message


def test_dense_numbers_within_towns_are_no_check_digits():
    firms = pd.Index([f"{town}|{local}" for town in range(500, 540) for local in range(1, 100)])
    wanted = pd.Index([f"{town}|{local}" for town in range(500, 510) for local in range(100, 140)])
    assert near_misses(wanted, firms, rng_of(1), n_parts=2).empty


def test_a_study_with_a_key_of_two_columns_finds_its_beneficiaries():
    ids = sorted(keys(4, 20))
    rows = [(one, year) for one in ids for year in (2001, 2002, 2003)]
    panel = pd.DataFrame(rows, columns=["town + plant", "yr"]).assign(sales=1.0)
    register = pd.DataFrame({"town + plant": [i.lstrip("0").upper() for i in ids[:5]]})
    register = register.assign(entry=2002)

    def cleaned(**identifier):
        number = {"kind": "number", "column": "sales", "unit": "US$", "label": "Sales"}
        data = {"source": {"kind": "files", "panel": "p.csv"}, "year": "yr"}
        data |= {"firm_id": ["town", "plant"], "cluster": ["firm_id"], "columns": {"sales": number}}
        data |= {"register_columns": {"firm_id": ["town", "plant"], "entry_year": "entry"}}
        window = {"first_event_time": -1, "last_event_time": 1}
        entry = {"source": "register", "programme": None, "other_programmes": "keep"}
        treatment = {"entry": entry, "anticipation_years": 0, "comparison": "never_treated"}
        section = CleanSection.model_validate(DUPLICATES | {"identifier": identifier})
        described = DataSection.model_validate(data)
        assert not list(clean_faults(section, described))
        return clean_panel(
            panel, register, {}, data=described, clean=section,
            treatment=TreatmentSection.model_validate(treatment | {"window": window}),
        )  # fmt: skip

    with pytest.raises(DataError, match=r"case 5 .*; width \d \(clean.identifier.width: \[4, 0\]"):
        cleaned()
    found = cleaned(case="upper", width=[4, 0]).panel
    assert found.loc[found["cohort"].notna(), "firm_id"].nunique() == 5


@pytest.mark.parametrize(
    ("firm_id", "identifier", "fault"),
    [
        (["a", "b"], {"width": 8}, "give one width a part"),
        (["a", "b"], {"width": [4, 0, 2]}, "has 3 widths, one a part; data.firm_id names 2"),
        ("a", {"width": [4, 0]}, "has 2 widths, one a part; data.firm_id names 1"),
        (["a", "b"], {"drop_check_digit": "both"}, "drop_check_digit is of identifiers in one"),
        (["a", "b"], {"cut_at": "-"}, "cut_at is of identifiers in one column"),
        (["a", "b"], {"characters": "remove", "decimals": "remove", "width": [4, 0]}, None),
    ],
)
def test_rules_fit_the_number_of_columns_of_a_key(firm_id, identifier, fault):
    data = {"source": {"kind": "files", "panel": "p.csv"}, "year": "yr", "firm_id": firm_id}
    section = DataSection.model_validate(data | {"cluster": ["firm_id"], "columns": {}})
    clean = CleanSection.model_validate(DUPLICATES | {"identifier": identifier})
    found = list(clean_faults(clean, section))
    assert [fault in one for one in found] == [True] if fault else not found


# ---- letters in front, letters for digits


RUTS = [f"{i.lstrip('0')}-K" for i in IDS]
PREFIXED = {
    "country": (RUTS, "CL{}", {"prefix"}),
    "country and space": (IDS, "BR {}", {"prefix"}),
    "name of the identifier": (IDS, "RUC {}", {"prefix"}),
    "dots": (IDS, "R.U.C. {}", {"prefix", "characters"}),
    "small letters": (IDS, "nit:{}", {"prefix"}),
}


@pytest.mark.parametrize("name", PREFIXED)
def test_letters_in_front_are_a_kind_of_their_own(name):
    panel_ids, written, kinds = PREFIXED[name]
    register = [written.format(i) if n % 2 else i for n, i in enumerate(panel_ids[:N])]
    message = refused(panel_ids, register)
    assert set(re.findall(r"(?:by|;) (\w+) \d", message)) == kinds
    assert f"prefix {N // 2} (clean.identifier.prefix: remove)" in message
    assert joined(panel_ids, register, settings_in(message)).beneficiaries.empty


@QUICK
@given(
    seed=SEEDS, letters=st.text("BCRUTNPJ", min_size=1, max_size=4),
    between=st.sampled_from(["", " ", "-", ".", ": ", "\u00a0"]), in_panel=st.booleans(),
)  # fmt: skip
def test_any_letters_in_front_are_found_and_their_rule_joins(seed, letters, between, in_panel):
    plain = sparse(seed)
    prefixed = [f"{letters}{between}{one}" for one in plain]
    panel_ids, register = (prefixed, plain[:N]) if in_panel else (plain, prefixed[:N])
    message = refused(panel_ids, register)
    assert f"prefix {N} (clean.identifier.prefix: remove)" in message
    assert joined(panel_ids, register, settings_in(message)).beneficiaries.empty


def test_letters_that_tell_firms_apart_are_no_prefix():
    """A letter numbers regions: the same digits are of several firms, and chance has them too."""
    firms = pd.Index([f"{region}{n:04d}" for region in "ABCD" for n in range(1, 150)])
    wanted = pd.Index([f"E{n:04d}" for n in range(1, 60)])
    assert near_misses(wanted, firms, rng_of(1)).empty
    # so many share one digit that nobody could compare them all
    many = pd.Index([f"{a}{b}{c}{n}" for a in "ABCDEFGH" for b in "ABCDEFGH" for c in "ABCDEFGH"
                     for n in range(8)])  # fmt: skip
    assert not near_misses(pd.Index(["XYZ1", "XYZ4"]), many, rng_of(1))["prefix"].any()
    # of the register's own
    ids = sparse(5)
    register = [f"{letter}{one}" for one in ids[:N] for letter in "AB"]
    message = refused(ids, register)
    assert f"prefix {2 * N} (list those" in message and "prefix: remove" not in message


def typed(one, rng):
    """Type letters for some zeros and ones, at least one; None where it has neither."""
    places = [at for at, digit in enumerate(one) if digit in "01"]
    if not places:
        return None
    chosen = rng.permutation(places)[: rng.integers(1, len(places) + 1)]
    letters = {"0": "Oo", "1": "lI"}
    return "".join(
        letters[digit][rng.integers(2)] if at in chosen else digit for at, digit in enumerate(one)
    )


@QUICK
@given(seed=SEEDS, check=st.sampled_from(["", "-K", "-5"]))
def test_letters_typed_for_digits_are_found_and_their_rule_joins(seed, check):
    panel_ids, rng = [f"{one}{check}" for one in sparse(seed)], rng_of(seed)
    register = [spoilt for one in panel_ids[:N] if (spoilt := typed(one, rng))]
    message = refused(panel_ids, [*register, *panel_ids[N : N + 9]])
    assert f"letters {len(register)} (clean.identifier.letters: digits)" in message
    assert joined(panel_ids, register, {"letters": "digits"}).beneficiaries.empty
    declined = settled(panel_ids, register, {"near_misses": ["letters"]}, "typed so")
    assert set(declined.nearly) == {
        one for one in panel_ids[:N] if any(digit in one[:8] for digit in "01")
    }


def test_identifiers_of_letters_keep_them():
    rule = Identifier(letters="digits", prefix="remove")
    names = ["OIL", "RFC010101OI1", "IO", "ABCDE12", "l0", "1O2I3"]
    kept = ["OIL", "010101011", "IO", "ABCDE12", "l0", "10213"]
    assert firm_identifier(as_read(names), "id", rule).tolist() == kept


# ---- check digits: tables that mix them, dense identifiers, firms that would become one


@QUICK
@given(seed=SEEDS, side=st.sampled_from(["register", "panel"]), share=st.floats(0.2, 0.8))
def test_tables_that_mix_identifiers_with_and_without_check_digit(seed, side, share):
    rng = rng_of(seed)
    bare = sparse(seed)
    digits = rng.integers(10, size=len(bare))
    with_digit = [f"{one}{digit}" for one, digit in zip(bare, digits, strict=True)]
    panel_ids = bare if side == "register" else with_digit
    picked = rng.random(N) < share
    picked[:2] = [True, False]
    register = [with_digit[n] if picked[n] else bare[n] for n in range(N)]
    n_off = int(picked.sum()) if side == "register" else int((~picked).sum())
    message = refused(panel_ids, register)
    rule = "clean.identifier.drop_check_digit: longer, with clean.identifier.width: 8"
    assert f"check_digit {n_off} ({rule})" in message
    assert joined(panel_ids, register, settings_in(message)).beneficiaries.empty


def test_longer_needs_the_width_without_check_digit():
    with pytest.raises(ValidationError, match="longer needs width"):
        Identifier(drop_check_digit="longer")


@QUICK
@given(seed=SEEDS, n=st.integers(300, 3000), shorter=st.booleans())
def test_dense_identifiers_of_another_length_have_no_check_digit(seed, n, shorter):
    """Numbers of five digits in the panel, of four or six in the register: chance has them too."""
    rng = rng_of(seed)
    firms = pd.Index([str(one) for one in 10_000 + rng.permutation(4000)[:n]])
    low, high = (1000, 1400) if shorter else (100_000, 140_000)
    wanted = pd.Index([str(one) for one in rng.integers(low, high, size=60)]).unique()
    assert not near_misses(wanted, firms, rng)["check_digit"].any()


def test_real_check_digits_of_sparse_identifiers_count_beside_dense_ones():
    ids = sparse(6)
    assert near_misses(pd.Index([f"{i}K" for i in ids[:3]]), pd.Index(ids), rng_of(1))[
        "check_digit"
    ].all()


def test_no_rule_is_named_that_makes_several_firms_one():
    ids = sparse(7)
    # two branches of each: the last digit tells them apart
    register = [f"{one}{branch}" for one in ids[:N] for branch in "12"]
    message = refused(ids, register)
    assert f"check_digit {2 * N} (list those" in message and "drop_check_digit" not in message
    # of the panel
    branches = [f"{one}{branch}" for one in ids for branch in "12"]
    message = refused(branches, ids[:N])
    assert "drop_check_digit" not in message and "clean.links" in message
    other = refused(branches, [f"{one}7" for one in ids[:N]])
    assert "other_check_digit" in other and "drop_check_digit: both" not in other
    dashed = refused([f"{one}-{branch}" for one in ids for branch in "12"], ids[:N])
    assert "cut_at" not in dashed


# ---- digits that a spreadsheet lost


@pytest.mark.parametrize("side", ["panel", "register"])
@pytest.mark.parametrize(
    ("written", "n_faulty"),
    [
        (["7.68E+07", "76123456"], 1),
        (["1.23457E+13", "1,23457e+13", "5"], 2),
        (["7E+07", "76123456"], 1),
        (["7.6123456E+07", "12"], 0),
        (["76123456.5", "76123457", "76123458"], 1),
        ([76123456.5, 76123457.0, 76123458.0], 1),
        (["12.1", "12.2", "13"], 0),
        (["1.234", "1.235.000", "1", "2", "3"], 0),
        (["12.0", "13,00", "14", "15", "16"], 0),
    ],
)
def test_identifiers_that_lost_digits_are_refused(side, written, n_faulty):
    rules = Identifier(decimals="remove")
    if not n_faulty:
        assert len(firm_identifier(as_read(written), "rut", rules, side)) == len(written)
        return
    with pytest.raises(DataError, match=rf"column rut: an identifier .*: {n_faulty} rows; ") as no:
        firm_identifier(as_read(written), "rut", rules, side)
    assert not any(str(one) in str(no.value) for one in written)


def test_a_part_of_a_key_that_lost_digits_is_refused():
    with pytest.raises(DataError, match=r"is rounded.*: 1 rows"):
        firm_identifier(as_read(["12|7.68E+07", "12|7"]), "a + b", Identifier().of_parts(2))


def test_a_sign_that_params_take_out_marks_no_decimals():
    codes = as_read(["123.45", "12345", "12346", "12347"])
    kept = firm_identifier(codes, "id", Identifier(remove="."))
    assert kept.tolist() == ["12345", "12345", "12346", "12347"]


@QUICK
@given(value=st.integers(10**6, 10**15), digits=st.integers(0, 16))
def test_a_power_is_written_out_to_all_its_digits_or_refused(value, digits):
    written = f"{value:.{digits}E}"
    rule = Identifier(decimals="remove")
    exponent = len(str(value)) - 1
    if digits < exponent:
        with pytest.raises(DataError, match="is rounded"):
            firm_identifier(as_read([written]), "id", rule)
    else:
        assert firm_identifier(as_read([written]), "id", rule).tolist() == [str(value)]

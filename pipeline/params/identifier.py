"""How identifiers are written, and what is done where a register nearly has those of a panel."""

from typing import Annotated, Literal, get_args

from pydantic import Field, PrivateAttr, model_validator

from pipeline.params.rule_marks import ColumnName, OfKind
from pipeline.params.settings import Settings

# The ways in which identifiers of one firm differ between panel and register.
NearMissKind = Literal[
    "spaces",
    "decimals",
    "characters",
    "prefix",
    "letters",
    "case",
    "width",
    "check_digit",
    "other_check_digit",
    "transposition",
    "name",
]
# The tables that have identifiers; rules files have those of the panel.
Side = Literal["panel", "register"]
# Identifiers whose last digit can be checked, by what they are called and where.
CheckDigit = Literal[
    "cnpj",
    "cpf",
    "rut",
    "cuit",
    "ruc_pe",
    "ruc_ec",
    "ruc_py",
    "rut_uy",
    "nit_co",
    "nit_gt",
    "nit_sv",
    "rnc",
    "cpj",
    "rif",
    "rfc",
    "nif",
    "nif_pt",
]


Width = Annotated[int, Field(ge=1)]
PartWidth = Annotated[int, Field(ge=0)]


class Identifier(Settings):
    """Say how identifiers are written, in the panel, the register and every rules file.

    In this order: `spaces: remove` those of any kind and signs that are not seen, `decimals:
    remove` a trailing `.0` (7.6123456E+07 is written out); `cut_at` drops a mark and what follows
    it (a check digit, 7654321-0); `remove` lists characters to delete, `characters: remove` deletes
    all but letters and digits; `prefix: remove` drops up to four letters in front of digits (CL,
    RUC); `letters: digits` reads O as 0, l and I as 1 where an identifier has no other letter;
    `case` writes letters alike; `drop_check_digit` drops the last character in the panel (and rules
    files), the register, or both, or of all identifiers one longer than `width` (longer); `width`
    pads with zeros, and longer identifiers are refused. Where several columns name a firm, each
    part is written so, and `width` has one number a part ([4, 0]: 0 pads none).
    `check_digit` counts identifiers whose last digit is wrong, by the extra [ids]: cnpj and cpf
    (Brazil), rut (Chile), cuit (Argentina), ruc_pe, ruc_ec, ruc_py, rut_uy, nit_co, nit_gt, nit_sv,
    rnc (Dominican Republic), cpj (Costa Rica), rif (Venezuela), rfc (Mexico), nif (Spain), nif_pt.
    `near_misses` says what happens where the register nearly has identifiers of the panel: they
    stop, or some kinds, or all (decline), are left so, and then panel firms that are nearly
    beneficiaries leave the sample. `name_column`, with data.register_columns.name, also compares
    names, which are alike from `least_name_score` of 100.
    """

    spaces: Literal["remove"] | None = None
    decimals: Literal["remove"] | None = None
    cut_at: str | None = Field(default=None, min_length=1)
    remove: str = ""
    characters: Literal["remove"] | None = None
    prefix: Literal["remove"] | None = None
    letters: Literal["digits"] | None = None
    case: Literal["upper", "lower"] | None = None
    drop_check_digit: Literal["panel", "register", "both", "longer"] | None = None
    width: Width | list[PartWidth] | None = None
    check_digit: CheckDigit | None = None
    near_misses: Literal["stop", "decline"] | list[NearMissKind] = "stop"
    name_column: Annotated[ColumnName | None, OfKind("text")] = None
    least_name_score: float = Field(default=90, gt=0, le=100)
    _n_parts: int = PrivateAttr(default=1)

    @model_validator(mode="after")
    def _longer_than_what(self) -> "Identifier":
        if self.drop_check_digit == "longer" and not isinstance(self.width, int):
            raise ValueError("drop_check_digit: longer needs width: that without check digit")
        return self

    @property
    def n_parts(self) -> int:
        """Return how many columns name a firm together."""
        return self._n_parts

    def of_parts(self, n_parts: int) -> "Identifier":
        """Return the rules for identifiers of so many columns."""
        rules = self.model_copy()
        rules._n_parts = n_parts
        return rules

    def width_of(self, part: int) -> int:
        """Return the width of a part, from 0; 0 pads none."""
        return self.width[part] if isinstance(self.width, list) else self.width or 0

    @property
    def rewrites(self) -> bool:
        """Say whether identifiers may be written otherwise than delivered."""
        return any(
            (
                *(self.spaces, self.decimals, self.cut_at, self.remove, self.characters),
                *(self.prefix, self.letters, self.case, self.drop_check_digit, self.width),
            )
        )

    @property
    def declined(self) -> tuple[NearMissKind, ...]:
        """Return the kinds of near misses that are left as they are."""
        if isinstance(self.near_misses, list):
            return tuple(self.near_misses)
        return get_args(NearMissKind) if self.near_misses == "decline" else ()

    def drops_last_of(self, side: Side) -> bool:
        """Say whether the last character of a table's identifiers is dropped."""
        return self.drop_check_digit in (side, "both")


AS_DELIVERED = Identifier()

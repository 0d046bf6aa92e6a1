"""The attack: everything that an attacker who knows the method tries on published files."""

from attack_combine import derived_counts
from attack_counts import Found, Published, published_counts, small_counts
from attack_direct import direct
from attack_sums import derived_values, forms
from attack_world import World


def attack(files: dict[str, bytes], world: World, minimum: int) -> list[Found]:
    """Return what was recovered: counts of one to `minimum - 1` firms, and single firms' values."""
    return [*counts_found(files, world, minimum), *values_found(files, world, minimum)]


def counts_found(files: dict[str, bytes], world: World, minimum: int) -> list[Found]:
    """Return the counts of few firms that are shown, or follow from up to three others."""
    published = Published(files)
    counts = published_counts(published, world)
    return [*small_counts(published, minimum), *derived_counts(counts, minimum)]


def values_found(files: dict[str, bytes], world: World, minimum: int) -> list[Found]:
    """Return single firms' values within 1 percent, from single figures, sums and algebra."""
    published = Published(files)
    solved = derived_values(forms(published, world), world, minimum)
    return [*direct(published, world, minimum), *solved]

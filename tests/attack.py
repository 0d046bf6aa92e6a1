"""The attack: everything that an attacker who knows the method tries on published files."""

from attack_combine import derived_counts
from attack_counts import Found, Published, published_counts, small_counts
from attack_direct import direct
from attack_sums import derived_values, forms
from attack_world import World

# The world of each arm by its subfolder; the headline's, or the only one, is "".
Worlds = dict[str, World]


def attack(files: dict[str, bytes], worlds: Worlds, minimum: int) -> list[Found]:
    """Return what was recovered: counts of one to `minimum - 1` firms, and single firms' values."""
    return [*counts_found(files, worlds, minimum), *values_found(files, worlds, minimum)]


def counts_found(files: dict[str, bytes], worlds: Worlds, minimum: int) -> list[Found]:
    """Return the counts of few firms that are shown, or follow from up to three others."""
    published = {folder: Published(files, folder) for folder in worlds}
    small = [found for own in published.values() for found in small_counts(own, minimum)]
    counts = [
        count
        for folder, own in published.items()
        for count in published_counts(own, worlds[folder])
    ]
    return [*small, *derived_counts(counts, minimum)]


def values_found(files: dict[str, bytes], worlds: Worlds, minimum: int) -> list[Found]:
    """Return single firms' values within 1 percent, from single figures, sums and algebra."""
    published = {folder: Published(files, folder) for folder in worlds}
    single = [
        found for folder, own in published.items() for found in direct(own, worlds[folder], minimum)
    ]
    told = [form for folder, own in published.items() for form in forms(own, worlds[folder])]
    entered = set().union(*(world.cohort for world in worlds.values()))
    return [*single, *derived_values(told, worlds[""], minimum, entered)]

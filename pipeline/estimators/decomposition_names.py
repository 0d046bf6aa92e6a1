"""Names in results of what a flat two-way figure averages."""

from typing import Literal

# Value of TESTS.test.
GOODMAN_BACON = "goodman_bacon"

# The firms that an entry year is compared with: never, not yet or already treated.
Kind = Literal["never", "not_yet", "already"]

"""On which scale an effect is."""

from pipeline.exhibits.words.language import say
from pipeline.params.outcomes import ASINH_SCALE, LOG_SCALE, PERCENT_OF_MEAN, SHARE_SCALE

# Effects on these transforms are shown where params ask for them, to show what they depend on.
_NAMED = (LOG_SCALE, SHARE_SCALE, PERCENT_OF_MEAN, ASINH_SCALE, "log1p_points")


def scale_words(scale: str) -> str:
    """Return the scale of an effect in words; the user's unit as it is."""
    return say(f"scale.{scale}") if scale in _NAMED else scale

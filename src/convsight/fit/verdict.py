"""From a difference and its interval to yes, no, or cannot tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from convsight.fit.interval import Interval

Verdict = Literal["yes", "no", "cannot tell"]
LEAST = 0.01  # of what is learnt: so much is as good as nothing
_LITTLE = 0.1


@dataclass(frozen=True)
class Finding:
    """Whether something holds; `effect` is the difference in score that says so, None if it was not measured."""

    verdict: Verdict = "cannot tell"
    effect: Interval | None = None


def little(learnt: float, missed: float) -> float:
    """Of scores, a difference that is as good as none: a tenth of what is learnt or of what is missed, whichever is less."""
    return max(_LITTLE * min(learnt, missed), LEAST * learnt, 0.0)


def better(gain: Interval, little: float) -> Finding:
    """Yes if a gain is certain, and not a little; no if it is certainly little."""
    return Finding("yes" if gain.low > 0 and gain.mean > little else "no" if gain.high < little else "cannot tell", gain)


def no_worse(gain: Interval, little: float) -> Finding:
    """Yes if a loss is certainly little; no if there certainly is one, and not a little."""
    return Finding("yes" if gain.low > -little else "no" if gain.high < 0 and gain.mean < -little else "cannot tell", gain)


def most(share: Interval) -> Finding:
    """Yes if a share is certainly more than half, no if it certainly is less."""
    return Finding("yes" if share.low > 0.5 else "no" if share.high < 0.5 else "cannot tell", share)


def recurs(sliding: Verdict, sharing: Verdict, transfer: Verdict) -> Verdict:
    """Yes if sliding and transfer say so and sharing doesn't deny it; no if sliding or transfer denies it."""
    if "no" in (sliding, transfer):
        return "no"
    return "yes" if sliding == transfer == "yes" and sharing != "no" else "cannot tell"

"""From a difference and its interval to yes, no, or cannot tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from convsight.fit.bench import Interval

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
    return max(_LITTLE * min(learnt, missed), LEAST * learnt)


def better(gain: Interval, little: float) -> Finding:
    """Yes if a gain is certain, and not a little; no if it is certainly little."""
    return Finding("yes" if gain.low > 0 and gain.mean > little else "no" if gain.high < little else "cannot tell", gain)


def no_worse(gain: Interval, little: float) -> Finding:
    """Yes if a loss is certainly little; no if there certainly is one, and not a little."""
    return Finding("yes" if gain.low > -little else "no" if gain.high < 0 and gain.mean < -little else "cannot tell", gain)


def together(*verdicts: Verdict) -> Verdict:
    """Of what holds if all of several things do."""
    return "no" if "no" in verdicts else "cannot tell" if "cannot tell" in verdicts else "yes"

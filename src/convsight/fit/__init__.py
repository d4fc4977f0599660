"""Which network fits a data set: measured axis by axis, declared, learnt and compared."""

from convsight.fit.fitting import Fit, fit

__all__ = ["Fit", "fit"]

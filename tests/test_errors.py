from __future__ import annotations

import pytest

from convsight.errors import InputError, did_you_mean, extra


def test_the_nearest_names_are_given_and_far_ones_not() -> None:
    assert did_you_mean("conv22", ["conv2", "fc1"]) == '; did you mean "conv2"?'
    assert did_you_mean("zzz", ["conv2", "fc1"]) == ""


def test_a_missing_extra_says_how_to_install_it() -> None:
    with pytest.raises(InputError, match=r"this needs nosuchmodule, which is not installed: pip install 'convsight\[speech\]'"):
        extra("nosuchmodule.part", "speech")
    assert extra("json", "speech").dumps(1) == "1"

"""See what a convolutional network sees; shape one to fit your data."""

from importlib.metadata import version

from convsight.architecture import Architecture, Convolution, build
from convsight.errors import InputError
from convsight.input_spec import InputSpec
from convsight.network import Network, load, save
from convsight.objectives import Objective, channel, diverse, dream, l1, l2, logit, neuron, total_variation
from convsight.optimizers import adam, lbfgs, sgd
from convsight.parametrization import overlay, pixels, pixels_from, principal
from convsight.spectrum import fourier, fourier_overlay, maco
from convsight.transforms import jitter, pad, photographic, rotate, scale
from convsight.visualization import Visualization
from convsight.visualize import evaluate, visualize

__version__ = version("convsight")

__all__ = [
    "Architecture",
    "Convolution",
    "InputError",
    "InputSpec",
    "Network",
    "Objective",
    "Visualization",
    "adam",
    "build",
    "channel",
    "diverse",
    "dream",
    "evaluate",
    "fourier",
    "fourier_overlay",
    "jitter",
    "l1",
    "l2",
    "lbfgs",
    "load",
    "logit",
    "maco",
    "neuron",
    "overlay",
    "pad",
    "photographic",
    "pixels",
    "pixels_from",
    "principal",
    "rotate",
    "save",
    "scale",
    "sgd",
    "total_variation",
    "visualize",
]

"""h and E: what each is called, its equation, where it is defined. The kernels are in the engine."""

from deltaprop.functions.activations import ACTIVATIONS, Activation, activation
from deltaprop.functions.losses import LOSSES, Loss, check_pair, loss

__all__ = ["ACTIVATIONS", "LOSSES", "Activation", "Loss", "activation", "check_pair", "loss"]

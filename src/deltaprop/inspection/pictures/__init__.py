"""Pictures by matplotlib: weights and gradients as heat maps, what every unit sees of a plane, h and h′."""

from deltaprop.inspection.pictures.activation import plot_activation
from deltaprop.inspection.pictures.boundary import over_plane, plot_boundary
from deltaprop.inspection.pictures.plane import Plane
from deltaprop.inspection.pictures.weights import plot_weights

__all__ = ["Plane", "over_plane", "plot_activation", "plot_boundary", "plot_weights"]

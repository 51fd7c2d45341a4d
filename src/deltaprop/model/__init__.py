"""Model: layers, functions, loss and theta, and what the native engine does with them."""

from deltaprop.model.model import Model

__all__ = ["Model"]

"""Drawings of a network and of what happens in it, in SVG: the lecture's figures, for this network and its numbers."""

from deltaprop.inspection.drawing.draw import draw
from deltaprop.inspection.drawing.svg import Drawing

__all__ = ["Drawing", "draw"]

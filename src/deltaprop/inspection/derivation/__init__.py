"""The lecture's derivation for one network: in symbols, and with the numbers of a sample put in."""

from deltaprop.inspection.derivation.derive import derive
from deltaprop.inspection.derivation.document import Derivation, Line, Section, Step

__all__ = ["Derivation", "Line", "Section", "Step", "derive"]

"""Formulas of the user's own: from a text to the program that the engine runs.

A text becomes a tree (parser), the tree its stable form (stable), that a program (program). Its derivative is by SymPy
(symbolic), written the shortest way that is as accurate (derivative).
"""

from deltaprop.functions.formulas.formula import ActivationFormula, LossFormula, is_formula
from deltaprop.functions.formulas.operations import Operation
from deltaprop.functions.formulas.parser import parse
from deltaprop.functions.formulas.program import Program, evaluate
from deltaprop.functions.formulas.tree import Node

__all__ = [
    "ActivationFormula",
    "LossFormula",
    "Node",
    "Operation",
    "Program",
    "evaluate",
    "is_formula",
    "parse",
]

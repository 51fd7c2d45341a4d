"""A declared function: its name, its parameters and their bounds, and the text that stands for it everywhere.

The text is a name, with the parameters that are not the default after a colon: ``relu``, ``leaky_relu:slope=0.1``. It
is what `Network` and the command line take and what a model file holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Self, TypeVar

import numpy as np

from deltaprop.errors import did_you_mean
from deltaprop.real_numbers import real_number

Value = float | tuple[float, ...]


@dataclass(frozen=True)
class Parameter:
    """A number beside a function's argument.

    Attributes
    ----------
    name : str
        What it is called.
    default : float
        What it is where nobody says otherwise; NaN: that lies with what uses the function.
    low, high : float
        Its bounds.
    open_low, open_high : bool
        Whether it must lie above low, and not on it; below high.
    several : bool
        Whether there may be several values, one for each output.
    whole : bool
        Whether it is a whole number.
    whose : str
        In words, whose it is where the default is NaN.
    """

    name: str
    default: float
    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    several: bool = False
    whole: bool = False
    whose: str = ""

    @property
    def bounds(self) -> str:
        """The bounds in words.

        Examples
        --------
        >>> Parameter("slope", 0.01, 0, 1).bounds, Parameter("alpha", 1, 0, open_low=True).bounds
        ('in [0, 1]', 'above 0')
        """
        kind = "whole, " if self.whole else ""
        if math.isinf(self.high):
            return f"{kind}{'above' if self.open_low else 'at least'} {self.low:g}"
        return f"{kind}in {'(' if self.open_low else '['}{self.low:g}, {self.high:g}{')' if self.open_high else ']'}"

    @property
    def described(self) -> str:
        """Name, default and bounds in words.

        Examples
        --------
        >>> Parameter("slope", 0.01, 0, 1).described
        'slope = 0.01, in [0, 1]'
        """
        return f"{self.name} = {self.whose or f'{self.default:g}'}, {self.bounds}"

    def checked(self, value: object, who: str) -> Value:
        """Return a value as a float; raise TypeError or ValueError where it is no number, or outside the bounds.

        Several are a tuple of floats; one in a list is one.
        """
        if self.several and isinstance(value, Sequence | np.ndarray) and not isinstance(value, str):
            if not len(value):
                raise ValueError(f"{who}: {self.name} needs a value; got none.")
            numbers = tuple(self._number(one, who) for one in value)
            return numbers if len(numbers) > 1 else numbers[0]
        return self._number(value, who)

    def written(self, value: Value) -> str:
        """Return a value as a text, as it is read again.

        Examples
        --------
        >>> Parameter("history", 10, 1, whole=True).written(5.0), Parameter("q", 0.5, several=True).written((0.1, 0.9))
        ('5', '0.1,0.9')
        """
        values = value if isinstance(value, tuple) else (value,)
        return ",".join(str(int(number)) if self.whole else repr(number) for number in values)

    def _number(self, value: object, who: str) -> float:
        number = real_number(value, self.name, where=who)
        above = self.low < number if self.open_low else self.low <= number
        below = number < self.high if self.open_high else number <= self.high
        if not (above and below and math.isfinite(number)) or (self.whole and number != int(number)):
            raise ValueError(f"{who}: {self.name} needs to be {self.bounds}; got {value!r}.")
        return number


@dataclass(frozen=True, repr=False)
class Entry:
    """What all declared functions have; calling one gives it other parameters.

    Attributes
    ----------
    name : str
        What people and model files call it.
    formula : str
        Its value, as Python would write it.
    aliases : tuple of str
        Other names that are understood.
    parameters : tuple of Parameter
        The numbers that it has beside its argument, in the engine's order.
    values : tuple of float, or of tuples of them
        Theirs, in this order; empty stands for the defaults.
    source : str
        Where it was published.
    """

    name: str
    formula: str
    aliases: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    values: tuple[Value, ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        if not self.values:
            object.__setattr__(self, "values", tuple(p.default for p in self.parameters))

    @property
    def numbers(self) -> list[float]:
        """The values as the engine takes them: those of a parameter with several one by one."""
        return [number for value in self.values for number in (value if isinstance(value, tuple) else (value,))]

    def __call__(self, *in_order: Any, **values: Any) -> Self:
        """Return the same function with other parameters, by name or in their order.

        Raises
        ------
        TypeError, ValueError
            If it has no such parameter, or the value is no number or out of bounds.
        """
        known = {p.name: p for p in self.parameters}
        if len(in_order) > len(known):
            raise TypeError(f"{self.name} has {len(known)} parameters; got {len(in_order)} values.")
        for name, value in zip(known, in_order, strict=False):
            if name in values:
                raise TypeError(f"{self.name}: {name} is given twice.")
            values[name] = value
        for name in values:
            if name not in known:
                has = f"It has {', '.join(known)}." if known else "It has none."
                raise TypeError(
                    f"{self.name}: no parameter is called {name!r}.{did_you_mean(name.lower(), known)} {has}"
                )
        present = dict(zip(known, self.values, strict=True))
        checked = {name: known[name].checked(value, self.name) for name, value in values.items()}
        return replace(self, values=tuple({**present, **checked}.values()))

    def __repr__(self) -> str:
        pairs = zip(self.parameters, self.values, strict=True)
        given = ", ".join(f"{p.name}={value!r}" for p, value in pairs if not _is_open(value))
        return f"{self.name}({given})" if given else self.name

    def __str__(self) -> str:
        given = [
            f"{p.name}={p.written(value)}"
            for p, value in zip(self.parameters, self.values, strict=True)
            if value != p.default and not _is_open(value)
        ]
        return self.name + (":" + ",".join(given) if given else "")


def _is_open(value: Value) -> bool:
    """Whether a value is not given, and lies with what the function is used by."""
    return isinstance(value, float) and math.isnan(value)


E = TypeVar("E", bound=Entry)


class Kept(Generic[E]):
    """The latest entries that were made of formulas, so that a formula is read and differentiated once."""

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._entries: dict[str, E] = {}

    def get(self, text: str, make: Callable[[], E]) -> E:
        """Return the entry of a text, made now if it is not kept."""
        entry = self._entries.get(text)
        if entry is None:
            entry = make()
            for oldest in list(self._entries)[: max(0, len(self._entries) + 2 - self._most)]:
                self._entries.pop(oldest, None)
            entry = self._entries.setdefault(entry.name, entry)
            self._entries[text] = entry
        return entry

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()


def is_declared(text: str, entries: Mapping[str, E]) -> bool:
    """Whether a text has the name, or an alias, of an entry, with or without parameters."""
    name = text.partition(":")[0].strip()
    return name in entries or any(name in entry.aliases for entry in entries.values())


def find(text: object, entries: Mapping[str, E], *, kind: str, where: str) -> E:
    """Return the entry that a text or an entry stands for.

    Parameters
    ----------
    text : str or Entry
        ``name`` or ``name:parameter=value,parameter=value``; values without a name come first, in order:
        ``cosine:0.001,warmup=5``. A name may be an alias, and a parameter that takes several has them with commas
        between: ``quantile:q=0.1,0.9``.
    entries : mapping
        Those there are, by name.
    kind : str
        What they are, for the message: "activation function".
    where : str
        Whose parameter it is, for the message.

    Raises
    ------
    TypeError
        If ``text`` is neither.
    ValueError
        If there is no such entry, or a parameter of it is not a number, out of bounds or unknown.

    Examples
    --------
    >>> known = {"elu": Entry("elu", "…", parameters=(Parameter("alpha", 1.0, 0),))}
    >>> str(find("elu:alpha=0.5", known, kind="function", where="h"))
    'elu:alpha=0.5'
    """
    article = "an" if kind[0] in "aeiou" else "a"
    own: dict[str, Value] = {}
    given = colon = ""
    if isinstance(text, Entry):
        entry = entries.get(text.name)
        own = {p.name: v for p, v in zip(text.parameters, text.values, strict=True) if not _is_open(v)}
        if entry is None or type(entry) is not type(text):
            raise ValueError(f"{where} needs the name of {article} {kind}; got {text.name!r}, which is none.")
    elif isinstance(text, str):
        name, colon, given = (part.strip() for part in text.partition(":"))
        entry = entries.get(name) or next((e for e in entries.values() if name in e.aliases), None)
        if entry is None:
            known = [*entries, *(alias for e in entries.values() for alias in e.aliases)]
            meant = did_you_mean(name.lower(), known)
            raise ValueError(f"{where}: no {kind} is called {name!r}.{meant} There are: {', '.join(entries)}.")
    else:
        raise TypeError(f"{where} needs the name of {article} {kind}; got {text!r}.")
    try:
        first, named = _values(given) if colon else ([], own)
        values = entry(*first, **named).values
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: {error}") from None
    return replace(entry, values=values)


def _values(text: str) -> tuple[list[float], dict[str, Any]]:
    """Return the numbers in ``1,2,b=3``: the first in order, then by name, a list where several: ``a=1,2,3``."""
    in_order: list[float] = []
    values: dict[str, Any] = {}
    last = ""
    how = "parameters are written name=number, each once, with commas between"
    for part in text.split(","):
        name, equals, number = (piece.strip() for piece in part.rpartition("="))
        last = name or last
        if (equals and not name) or name in values:
            raise ValueError(f"{how}; got {part.strip()!r}.")
        try:
            value = float(number.replace("_", "?"))  # 1_0 is no number but to Python
        except ValueError:
            raise ValueError(
                f"{last} needs to be a number; got {number!r}." if name else f"{how}; got {part.strip()!r}."
            ) from None
        if name:
            values[name] = value
        elif last:
            values[last] = [*np.atleast_1d(values[last]).tolist(), value]
        else:
            in_order.append(value)
    return in_order, values

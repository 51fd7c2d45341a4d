"""Formulas rewritten so that they neither overflow nor cancel, without computer algebra.

Where the formula as it is written has a finite value, so has the rewritten one, and it is the same; where it has none
for rounding, overflow or 0 / 0 (exp(a) / (1 + exp(a)) at 800, sqrt(a)**2 at -1), the rewritten one may have.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import lru_cache

from deltaprop.errors import FormulaError
from deltaprop.functions.formulas import budget
from deltaprop.functions.formulas.algebra import (
    LARGEST,
    ONE,
    ZERO,
    Factors,
    Product,
    Terms,
    collected,
    factors,
    minus,
    multiplied,
    negative,
    powered,
    product_of,
    raised,
    sum_of,
    terms,
    times,
)
from deltaprop.functions.formulas.exponentials import exponent_of, gathered, two_exponentials
from deltaprop.functions.formulas.extremes import comparison, extreme
from deltaprop.functions.formulas.folding import folded
from deltaprop.functions.formulas.ranges import range_of
from deltaprop.functions.formulas.tree import Node, number, rebuilt, substitute
from deltaprop.functions.formulas.vocabulary import FUNCTIONS

HALF = Fraction(1, 2)
_LARGEST_COMPOSED = 2000  # nodes
_HIGHEST = 64  # power of cosh


def stable(node: Node) -> Node:
    """Return the formula in its stable form; equal sums and products become equal trees.

    Examples
    --------
    >>> from deltaprop.functions.formulas.parser import parse
    >>> for text in ("1 / (1 + exp(-a))", "log(1 + exp(a)) - a", "1 - tanh(a)**2", "exp(a) - 1", "log(1 + a**2)"):
    ...     print(stable(parse(text, ["a"], "h")))
    sigmoid(a)
    softplus(-a)
    4 * (sigmoid(-2 * a) * sigmoid(2 * a))
    expm1(a)
    log1p(a**2)
    """
    return rebuilt(node, lambda x, args: _made(x.op, args) if args else Node(x.op, (), x.value, x.name))


def composed(loss: Node, h: Node) -> Node:
    """Return the stable form of a loss of y with y = h(a).

    Examples
    --------
    >>> from deltaprop.functions.formulas.parser import parse
    >>> loss = parse("-r * log(y) - (1 - r) * log(1 - y)", ["y", "r"], "loss")
    >>> str(composed(loss, parse("1 / (1 + exp(-a))", ["a"], "h")))
    'r * softplus(-a) + softplus(a) * (1 - r)'
    """
    tree = substitute(loss, {"y": h})
    if tree.size > _LARGEST_COMPOSED:
        raise FormulaError("it becomes too large")
    return stable(tree)


@lru_cache(maxsize=10_000)
def _made(op: str, args: tuple[Node, ...]) -> Node:
    """Return the stable form of an operator or a function of stable arguments."""
    match op, args:
        case "add", (x, y):
            made = total([*terms(x).items(), *terms(y).items()])
        case "subtract", (x, y):
            made = total([*terms(x).items(), *((t, -c) for t, c in terms(y).items())])
        case "neg", (x,):
            made = total((t, -c) for t, c in terms(x).items())
        case (("multiply" | "divide" | "sqrt"), _):
            made = product(factors(Node(op, args)))
        case _:
            made = called(op, args)
    if made.size > LARGEST:
        raise FormulaError("it becomes too large")
    return made


# ---- sums


def total(parts: Iterable[tuple[Node, Fraction]]) -> Node:
    """Return the stable form of a sum of stable terms."""
    sums: Terms = collected(parts)
    budget.spend(len(sums))
    for rule in (_with_one, _softplus_less_its_argument, _with_its_magnitude, _choices):
        changed = rule(sums)
        if changed is not None:
            return total((t, c * d) for x, c in changed for t, d in terms(x).items())
    return sum_of(sums)


_Parts = list[tuple[Node, Fraction]]


def _with_one(sums: Terms) -> _Parts | None:
    """1 - f(x) and the like, where another function has the difference without cancelling: 1 - erf(x) = erfc(x).

    So x - x · erf(x) too, and sigmoid(x) + sigmoid(-x) = 1 with what both are multiplied by.
    """
    for term, c in sums.items():
        _, bases = factors(term)
        for base, n in bases.items():
            if n != 2 and (n != 1 or base.op not in _BESIDE_ONE):
                continue
            others = {x: m for x, m in bases.items() if x != base}
            alone = product_of(Fraction(1), others)
            made = _beside_one(powered(base, n), sums[alone] / c) if alone in sums else None
            if made is not None:
                rest = [(t, d) for t, d in sums.items() if t not in (alone, term)]
                return [*rest, (product(multiplied((Fraction(1), others), factors(made[1]))), made[0] * c)]
            if base.op == "sigmoid" and n == 1:
                mirrored = multiplied((Fraction(1), others), factors(called("sigmoid", (minus(base.args[0]),))))
                other = product_of(*mirrored)
                if other != term and sums.get(other) == c:
                    return [*((t, d) for t, d in sums.items() if t not in (other, term)), (alone, c)]
    return None


_BESIDE_ONE = ("exp", "expm1", "sigmoid", "tanh", "erf", "erfc", "cos", "cosh", "power")


def _beside_one(term: Node, k: Fraction) -> tuple[Fraction, Node] | None:
    """Return what f(x) + k comes to, as a coefficient and a tree, where there is a better word for it."""
    x = term.args[0] if term.args else ONE
    one = Fraction(1)
    match term.op, k:
        case "exp", -1:
            return one, called("expm1", (x,))
        case "expm1", 1:
            return one, called("exp", (x,))
        case "sigmoid", -1:
            return -one, called("sigmoid", (minus(x),))
        case "sigmoid", k if k == -HALF:
            return HALF, called("tanh", (times(HALF, x),))
        case "tanh", (1 | -1):
            return 2 * k, called("sigmoid", (times(2 * k, x),))
        case "erf", (1 | -1):
            return k, called("erfc", (times(-k, x),))
        case "erfc", -1:
            return -one, called("erf", (x,))
        case "erfc", -2:
            return -one, called("erfc", (minus(x),))
        case "cos", (1 | -1):
            return 2 * k, _square(called("cos" if k > 0 else "sin", (times(HALF, x),)))
        case "cosh", (1 | -1):
            return 2 * one, _square(called("cosh" if k > 0 else "sinh", (times(HALF, x),)))
        case "power", k if k < 0 and term.args[1] == number(2):
            return _square_less(x, -k)
        case "power", 1 if term.args[1] == number(2) and x.op == "sinh":
            return one, _square(called("cosh", x.args))
    return None


def _square_less(x: Node, k: Fraction) -> tuple[Fraction, Node] | None:
    """Return what x² - k comes to; (1 + u)² - 1 is u · (u + 2)."""
    if k == 1 and x.op == "tanh":
        return Fraction(-4), product(_bell(times(Fraction(2), x.args[0])))
    if k == 1 and x.op == "sigmoid":
        more = total([(x, Fraction(1)), (ONE, Fraction(1))])
        return Fraction(-1), product(multiplied(factors(called("sigmoid", (minus(x.args[0]),))), factors(more)))
    if k == 1 and x.op in ("sin", "cos"):
        return Fraction(-1), _square(called("cos" if x.op == "sin" else "sin", x.args))
    if k == 1 and x.op == "cosh":
        return Fraction(1), _square(called("sinh", x.args))
    shift = terms(x).get(ONE, Fraction(0))
    if shift**2 == k and x.op in ("add", "subtract"):
        less, more = (total([*terms(x).items(), (ONE, c)]) for c in (-shift, shift))
        return Fraction(1), product(multiplied(factors(less), factors(more)))
    return None


def _bell(x: Node) -> Product:
    """Return the factors of sigmoid(x) · sigmoid(-x)."""
    return multiplied(factors(called("sigmoid", (x,))), factors(called("sigmoid", (minus(x),))))


def _softplus_less_its_argument(sums: Terms) -> _Parts | None:
    """softplus(x) - x = softplus(-x), and softplus(x) - softplus(-x) = x."""
    for term, c in sums.items():
        if term.op != "softplus":
            continue
        x = terms(term.args[0])
        mirrored = called("softplus", (minus(term.args[0]),))
        if sums.get(mirrored) == -c:
            rest = [(t, d) for t, d in sums.items() if t not in (term, mirrored)]
            return [*rest, *((t, c * d) for t, d in x.items())]
        if all(sums.get(t) == -c * d for t, d in x.items()):
            return [(t, d) for t, d in sums.items() if t != term and t not in x] + [(mirrored, c)]
    return None


def _with_its_magnitude(sums: Terms) -> _Parts | None:
    """X + d · |x| = (1 + d) · x where x > 0, and (1 - d) · x elsewhere."""
    for term, d in sums.items():
        if term.op != "abs":
            continue
        x = terms(term.args[0])
        shares = {sums.get(t, Fraction(0)) / e for t, e in x.items()}
        if len(shares) == 1 and (c := shares.pop()):
            branches = (times(c + d, term.args[0]), times(c - d, term.args[0]))
            made = called("where", (called("less", (ZERO, term.args[0])), *branches))
            return [*((t, e) for t, e in sums.items() if t != term and t not in x), (made, Fraction(1))]
    return None


def _choices(sums: Terms) -> _Parts | None:
    """where(c, x, y) + where(c, u, v) = where(c, x + u, y + v), and where(c, 1, 0) - 1 = where(c, 0, -1)."""
    first: dict[Node, Node] = {}
    for term in sums:
        other = term
        if term.op == "where":
            numbers = term.args[1].op == term.args[2].op == "number"
            other = ONE if numbers and ONE in sums else first.setdefault(term.args[0], term)
        if other != term:
            pairs = zip(other.args[1:] or (ONE, ONE), term.args[1:], strict=True)
            branches = (_made("add", (times(sums[other], x), times(sums[term], y))) for x, y in pairs)
            made = called("where", (term.args[0], *branches))
            return [*((t, d) for t, d in sums.items() if t not in (other, term)), (made, Fraction(1))]
    return None


def _square(x: Node) -> Node:
    return product(raised(factors(x), Fraction(2)))


# ---- products


def product(given: Product) -> Node:
    """Return the stable form of a product of stable factors."""
    c, bases = multiplied(given)
    budget.spend(1 + len(bases))
    if not c:
        return ZERO
    for rule in (_into_branch, _spread_over_sum):
        made = rule(c, bases)
        if made is not None:
            return made
    for change in (_signs, _double_angles, _hyperbolic, gathered):
        c, bases = multiplied(change((c, bases)))
    return product_of(c, bases)


def _into_branch(c: Fraction, bases: Factors) -> Node | None:
    """where(holds, x, 0) · z has z in the branch, for z may be inf or NaN where the condition does not hold."""
    for base, n in bases.items():
        if base.op == "where" and n == 1 and ZERO in base.args[1:] and (c != 1 or len(bases) > 1):
            others = c, {x: m for x, m in bases.items() if x != base}
            branches = (product(multiplied(others, factors(x))) for x in base.args[1:])
            return called("where", (base.args[0], *branches))
    return None


def _spread_over_sum(c: Fraction, bases: Factors) -> Node | None:
    """Multiply the sum of (1 + exp(x)) · sigmoid(-x)² out, so that each exponential finds its sigmoid."""
    for base, n in bases.items():
        if n != 1 or base.op not in ("add", "subtract"):
            continue
        parts = [(d, factors(t)) for t, d in terms(base).items()]
        met = {t for _, (_, f) in parts for x in f if x.op == "exp" for t in terms(x.args[0])} - {ONE}
        if met and any(_holds_exponential(x, m, met) for x, m in bases.items() if x != base):
            rest = c, {x: m for x, m in bases.items() if x != base}
            if base in gathered((c, bases))[1]:
                products = (product(multiplied(rest, (d, {}), f)) for d, f in parts)
                return total((t, d) for made in products for t, d in terms(made).items())
    return None


def _holds_exponential(x: Node, n: Fraction, met: set[Node]) -> bool:
    """Tell whether a factor is a sigmoid, or a sum of exponentials below the line, of what is in ``met``."""
    if x.op == "sigmoid" and n > 0:
        return bool(terms(x.args[0]).keys() & met)
    if n > 0 or x.op not in ("add", "subtract"):
        return False
    return any((exponent_of(t) or {}).keys() & met for t in terms(x))


def _signs(given: Product) -> Product:
    """Use x · sign(x) = |x|, |x| · sign(x) = x and |x|² = x²."""
    c, bases = given
    for base in [x for x in bases if x.op == "abs"]:
        n = bases[base]
        if n.denominator == 1 and n % 2 == 0:
            c, bases = multiplied((c, {x: m for x, m in bases.items() if x != base}), raised(factors(base.args[0]), n))
    for base in [x for x in bases if x.op == "sign" and bases[x] == 1]:
        x, absolute = base.args[0], Node("abs", base.args)
        for factor, becomes in ((x, absolute), (absolute, x)):
            if bases.get(factor, 0) >= 1:
                rest = {y: m for y, m in bases.items() if y != base}
                return _signs(multiplied((c, rest), raised(factors(factor), Fraction(-1)), factors(becomes)))
    return c, bases


def _double_angles(given: Product) -> Product:
    """Write sinh(2x) beside sinh(x) or cosh(x) as 2 sinh(x) cosh(x), and sin likewise: what they share goes."""
    c, bases = given
    for base in [x for x, n in bases.items() if x.op in ("sinh", "sin") and n.denominator == 1]:
        half = (times(HALF, base.args[0]),)
        parts = [Node(op, half) for op in (base.op, "cosh" if base.op == "sinh" else "cos")]
        if any(part in bases for part in parts):
            n = bases[base]
            rest = {x: m for x, m in bases.items() if x != base}
            c, bases = multiplied((c * Fraction(2) ** int(n), rest), *(raised(factors(part), n) for part in parts))
    return c, bases


def _bells_below_sinh(given: Product) -> Product:
    """Write sigmoid(2x) · sigmoid(-2x) beside sinh(x) as 1 / (4 cosh(x)²): sinh overflows where the others are 0."""
    c, bases = given
    for base in [x for x, n in bases.items() if x.op == "sinh" and n > 0]:
        x = base.args[0]
        up, down = (called("sigmoid", (times(k, x),)) for k in (2, -2))
        n = min(int(bases.get(up, Fraction(0))), int(bases.get(down, Fraction(0))))
        if n > 0:
            bell = Fraction(1, 4**n), {up: Fraction(-n), down: Fraction(-n), Node("cosh", (x,)): Fraction(-2 * n)}
            c, bases = multiplied((c, bases), bell)
    return c, bases


def _hyperbolic(given: Product) -> Product:
    """Write sinh / cosh as tanh; 1 / cosh(x)² and exp(x) / cosh(x) by sigmoids."""
    c, bases = _bells_below_sinh(given)
    for base in [x for x, n in bases.items() if x.op == "cosh" and n < 0 and n.denominator == 1]:
        x, n = base.args[0], -int(bases[base])
        sinh = Node("sinh", (x,))
        shared = min(n, max(int(bases.get(sinh, Fraction(0))), 0))
        rest = {y: m for y, m in bases.items() if y not in (base, sinh)}
        rest[sinh] = bases.get(sinh, Fraction(0)) - shared
        c, bases = multiplied((c, rest), raised(factors(called("tanh", (x,))), Fraction(shared)))
        n -= shared
        if n % 2 == 0 and n <= _HIGHEST:
            c, bases = multiplied((c * 4 ** (n // 2), bases), raised(_bell(times(Fraction(2), x)), Fraction(n, 2)))
        elif any(y.op == "exp" for y in bases) and n <= _HIGHEST:
            two = sum_of({called("exp", (x,)): Fraction(1), called("exp", (minus(x),)): Fraction(1)})
            c, bases = multiplied((c * 2**n, bases), (Fraction(1), {two: Fraction(-n)}))
        else:
            bases = {**bases, base: Fraction(-n)}
    return c, bases


# ---- functions


def called(op: str, args: tuple[Node, ...]) -> Node:
    """Return the stable form of a function, a condition or a power of stable arguments."""
    if op == "where" and (args[1] == args[2] or args[0].op == "number"):
        return args[1] if args[0].value else args[2]
    if all(x.op == "number" for x in args):
        value = folded(op, [x.value for x in args])
        if not math.isfinite(value):
            raise FormulaError(f"{Node(op, args)} is {value}, and no finite number")
        return number(value)
    if op in FUNCTIONS and FUNCTIONS[op].parity and negative(args[0]):
        mirrored = called(op, (minus(args[0]),))
        return mirrored if FUNCTIONS[op].parity > 0 else minus(mirrored)
    rule = _CALLED.get(op)
    return (rule(*args) if rule else None) or Node(op, args)


def _exp(x: Node) -> Node | None:
    """exp(log(u) + w) = u · exp(w), and exp(-softplus(u)) = sigmoid(-u)."""
    parts: list[Product] = []
    rest: Terms = {}
    for t, c in terms(x).items():
        if t.op == "log" and 2 % c.denominator == 0:
            parts.append(raised(factors(t.args[0]), c))
        elif t.op == "softplus" and c < 0 and c.denominator == 1:
            parts.append(raised(factors(called("sigmoid", (minus(t.args[0]),))), -c))
        else:
            rest[t] = c
    if not parts:
        return None
    return product(multiplied(*parts, factors(called("exp", (sum_of(rest),)))))


def _log(x: Node) -> Node | None:
    """log(1 + x) = log1p(x), and logarithms of exponentials and sigmoids without either."""
    pair = two_exponentials(x)
    if pair is not None:  # log(c · (exp(u) + exp(v)))
        c, u, v = pair
        difference = sum_of(collected([*v.items(), *((t, -d) for t, d in u.items())]))
        softplus = called("softplus", (difference,))
        return total([*u.items(), *terms(softplus).items(), (ONE, Fraction(math.log(c)))])
    if x.op in ("add", "subtract") and terms(x).get(ONE) == 1:
        return Node("log1p", (sum_of({t: c for t, c in terms(x).items() if t != ONE}),))
    return _log_of_product(*factors(x))


def _log_of_product(c: Fraction, bases: Factors) -> Node | None:
    if c == 1 and list(bases.values()) == [1] and next(iter(bases)).op not in ("exp", "sigmoid"):
        return None
    alone = c == 1 and len(bases) == 1
    apart: _Parts = []
    rest: Factors = {}
    for base, n in bases.items():
        if base.op == "exp":
            apart += [(t, n * d) for t, d in terms(base.args[0]).items()]
        elif base.op == "sigmoid":
            apart.append((called("softplus", (minus(base.args[0]),)), -n))
        elif (alone and n % 2) or base.op == "cosh" or two_exponentials(base):
            apart.append((called("log", (base,)), n))
        else:
            rest[base] = n
    if not apart or c <= 0:
        return None
    if rest or c != 1:
        apart.append((called("log", (product_of(c, rest),)), Fraction(1)))
    return total((t, n * d) for x, n in apart for t, d in terms(x).items())


def _log1p(x: Node) -> Node | None:
    return called("log", (total([*terms(x).items(), (ONE, Fraction(1))]),))


def _abs(x: Node) -> Node | None:
    low, high = range_of(x)
    if low >= 0 or high <= 0:
        return x if low >= 0 else minus(x)
    c, bases = factors(x)
    return None if c == 1 else product((abs(c), {Node("abs", (product_of(Fraction(1), bases),)): Fraction(1)}))


def _sign(x: Node) -> Node | None:
    low, high = range_of(x)
    if low > 0 or high < 0:
        return number(1 if low > 0 else -1)
    c, bases = factors(x)
    if c == 1:
        return None
    of_rest = called("sign", (product_of(Fraction(1), bases),))
    return of_rest if c > 0 else minus(of_rest)


def _power(x: Node, y: Node) -> Node | None:
    if y.op == "number":
        return product(raised(factors(x), Fraction(y.value)))
    if x.op == "number" and x.value <= 0:
        raise FormulaError(f"a power with a variable exponent needs a base above 0; got {x}")
    if x.op == "number":
        return called("exp", (times(Fraction(folded("log", [x.value])), y),))
    return None


_CALLED: dict[str, Callable[..., Node | None]] = {
    "exp": _exp, "log": _log, "log1p": _log1p, "abs": _abs, "sign": _sign, "power": _power,
    "min": extreme("min"), "max": extreme("max"), "relu": lambda x: extreme("max")(x, ZERO),
    "less": comparison("less"), "less_equal": comparison("less_equal"),
}  # fmt: skip

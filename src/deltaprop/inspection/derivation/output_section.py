"""δ of the output, worked out line by line for this output function and this loss."""

from __future__ import annotations

from deltaprop.functions import Activation
from deltaprop.functions.formulas.tree import Node, rebuilt, substitute, variable, with_args
from deltaprop.inspection.derivation.cancelling import is_product_of, uncancelled
from deltaprop.inspection.derivation.document import Line, Section, Step, Words
from deltaprop.inspection.derivation.notation import ONE, ZERO, E, LayerSymbols, minus, partial, summed, symbol, times
from deltaprop.inspection.derivation.output_error import SOFTMAX_SLOPE, OutputError, indexed, indicator
from deltaprop.inspection.derivation.rules import caveats, in_symbols

_SUM_OF_R = summed("m", symbol("r", "m"))
_TOO_LARGE = " is what the output is too large by."


def output_section(output: LayerSymbols, entry: Activation, found: OutputError) -> Section:
    """Return the lines from ∂E/∂a to the shortest δ."""
    lines = _softmax_lines(output, found) if found.slope is None else _unit_lines(output, found)
    return Section("δ of the output", (*lines, *caveats(found.complete, found.confirmed)))


def delta_in_symbols(output: LayerSymbols, node: Node) -> Node:
    """Return a tree of a, y, r and q with the symbols of output k, or of the only one."""
    return substitute(node, _symbols(output, node))


def _symbols(output: LayerSymbols, *nodes: Node) -> dict[str, Node]:
    names = {name for node in nodes for name in node.variables} - {"a", "y", "r"}
    return {
        "a": output.a("k"),
        "y": output.z("k"),
        "r": output.r("k"),
        **({} if output.single else {name: symbol(name, "k") for name in names if len(name) == 1}),
    }


def _unit_lines(output: LayerSymbols, found: OutputError) -> list[Line]:
    assert found.slope is not None
    a, y, delta = output.a("k"), output.z("k"), output.delta("k")
    of_loss = E if output.single else symbol("E", "k")
    symbols = _symbols(output, *(s.right for s in (*found.loss_steps, *found.steps)))

    def steps(source: tuple[Step, ...], more: dict[str, Node] | None = None) -> tuple[Step, ...]:
        names = {**symbols, **(more or {})}
        return tuple(Step(substitute(s.right, names), in_symbols(s.reason, names)) for s in source)

    words: Words = ("By the chain rule",)
    if not output.single:
        words += (", as ", a, " changes ", y, " alone, and of E only ", of_loss)
    by_y, by_a = partial(of_loss, y), partial(y, a)
    product = times(by_y, by_a)
    of_output = (Step(output.slope("k")), *steps(found.slope.steps, {"z": y}))
    lines = [
        Line(delta, (Step(partial(E, a)), Step(product)), words=(*words, ":")),
        Line(by_y, steps(found.loss_steps), words=("The first factor, from the loss:",)),
        Line(by_a, of_output, words=("The second, from the output function:",)),
        Line(delta, (Step(product), *steps(found.steps)), words=("Together:",)),
    ]  # fmt: skip
    slope_of_E, slope = found.loss_steps[-1].right, substitute(found.slope.final, {"z": variable("y")})
    if slope_of_E == ZERO:
        lines.append(Line(words=("This loss does not depend on ", y, ".")))
    elif not slope.variables:
        pass
    elif found.final == minus(variable("y"), variable("r")):
        lines.append(Line(words=("The slope of the output function cancels, and ", delta, _TOO_LARGE)))
    elif "a" in slope.variables and _divides_by_y(slope_of_E):
        pass  # y is h(a): what is above and below may be one
    elif is_product_of(found.final, slope_of_E, slope) and not uncancelled(found.final):
        lines.append(Line(words=("Nothing cancels here: ", by_a, " stays a factor of ", delta, ".")))
    return lines


def _divides_by_y(node: Node) -> bool:
    return any(x.op == "divide" and "y" in x.args[1].variables for x in node.parts())


def _softmax_lines(output: LayerSymbols, found: OutputError) -> list[Line]:
    a_k, a_m, y_k, y_m = output.a("k"), output.a("m"), output.z("k"), output.z("m")
    total = summed("n", Node("exp", (output.a("n"),)))
    e_k, e_m = Node("exp", (a_k,)), Node("exp", (a_m,))
    same, m, k = indicator("m", "k"), variable("m"), variable("k")
    quotient = Node(
        "divide", (minus(times(same, e_m, total), times(e_m, e_k)), Node("power", (total, Node("number", value=2.0))))
    )
    by_a = (
        Step(quotient, ("the rule for quotients; ", same, " is 1 where m = k, else 0")),
        Step(minus(times(same, y_m), times(y_m, y_k)), ("as ", Node("divide", (e_m, total)), " = ", y_m)),
        Step(SOFTMAX_SLOPE),
    )
    by_y = tuple(Step(indexed(s.right, "m"), s.reason) for s in found.loss_steps)
    delta = output.delta("k")
    words: Words = ("By the generalised chain rule, as ", a_k, " changes every output:")
    chain = summed("m", times(partial(E, y_m), partial(y_m, a_k)))
    lines = [
        Line(delta, (Step(partial(E, a_k)), Step(chain)), words=words),
        Line(partial(E, y_m), by_y, words=("The first factors, from the loss:",)),
        Line(partial(y_m, a_k), by_a, words=("The second, from softmax:",)),
        Line(words=("That is ", times(y_k, minus(ONE, y_k)), " for ", m, " = ", k, ", and ",
                    Node("neg", (times(y_m, y_k),)), " for every other ", m, ".")),
        Line(delta, (Step(chain), *found.steps), words=("Together:",)),
    ]  # fmt: skip
    if found.final == minus(symbol("y", "k"), symbol("r", "k")):
        lines.append(Line(words=("All else cancels, and ", delta, _TOO_LARGE)))
    elif _SUM_OF_R in found.final.parts():
        words = ("Where the targets of a sample sum to 1, that is ", _where_r_sum_to_one(found.final), ".")
        lines.append(Line(words=words))
    elif any(x.op == "sum" and len(x.args) > 2 for x in found.final.parts()):
        words = ("In the term of ", y_k, " itself the slope cancels; what E says of the other outputs stays as a sum.")
        lines.append(Line(words=words))
    elif not uncancelled(times(found.loss_steps[-1].right, variable("y"))):
        lines.append(Line(words=("Nothing cancels here: the sum over all outputs stays in ", delta, ".")))
    return lines


def _where_r_sum_to_one(node: Node) -> Node:
    return rebuilt(node, lambda n, args: args[0] if n.args[1:] == (_SUM_OF_R,) else with_args(n, args) if args else n)

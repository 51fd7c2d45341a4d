"""onnxruntime, for inference: the network as a graph of Gemm and activations, on one thread."""

from __future__ import annotations

from collections.abc import Callable

import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from side_by_side.task import Array, Task

NAME, VERSION = "onnxruntime", onnxruntime.__version__
_OPERATORS = {"sigmoid": "Sigmoid", "relu": "Relu", "softmax": "Softmax"}


def _graph(task: Task) -> onnx.ModelProto:
    nodes, constants, z = [], [], "x"
    W, b = task.start()
    for layer, (weights, bias) in enumerate(zip(W, b, strict=True)):
        constants += [numpy_helper.from_array(p, f"{name}{layer}") for name, p in (("W", weights), ("b", bias))]
        nodes.append(helper.make_node("Gemm", [z, f"W{layer}", f"b{layer}"], [f"a{layer}"]))
        last = layer == len(W) - 1
        nodes.append(helper.make_node(_OPERATORS[task.output if last else task.h], [f"a{layer}"], [f"z{layer}"]))
        z = f"z{layer}"
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, n])
        for name, n in (("x", task.layers[0]), (z, task.layers[-1]))
    ]
    graph = helper.make_graph(nodes, "network", ends[:1], ends[1:], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def predictor(task: Task) -> Callable[[Array], Array]:
    """From rows of inputs to y."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model = _graph(task).SerializeToString()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda X: session.run(None, {"x": X})[0]

"""A cascade of two models in one: the int8 model sees every photo, and where its two best classes are close, the
float32 model decides. Called by quantize.py.
"""

import pathlib
from typing import Dict, Iterable, List, Set

import numpy as np
import onnx
from onnx import helper, numpy_helper

SMALL, WHOLE, OWN = "int8/", "float32/", "cascade/"
# Of the disagreement that is allowed, so much is planned for: the photos to come are not those that chose.
PLANNED = 0.7


def margins(scores: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """By how much the first of two classes [photos, 2] is ahead of the second."""
    rows = np.arange(len(scores))
    return scores[rows, classes[:, 0]] - scores[rows, classes[:, 1]]


def threshold(whole: np.ndarray, small: np.ndarray, agreement: float) -> float:
    """The margin of the int8 model under which the float32 model has to decide, for this agreement in a hundred.

    A class is lost unseen where the int8 model moves a margin past zero and past the threshold. Few photos show that,
    so every margin of the float32 model is paired with every move that the int8 model makes of one.
    """
    best = np.argsort(whole, axis=1)[:, :-3:-1]
    before = margins(whole, best)
    moves = before - margins(small, best)
    past = np.sort((moves[None, :] - before[:, None]).reshape(-1))
    allowed = int((100 - agreement) / 100 * PLANNED * len(past))
    return max(float(past[len(past) - 1 - allowed]), 0.0)


def unsure(small: np.ndarray, limit: float) -> float:
    """Of a hundred photos, those of which the float32 model decides."""
    best = np.sort(small, axis=1)
    return 100 * float(np.mean(best[:, -1] - best[:, -2] < limit))


def rows(scored: str, limit: float) -> "tuple[List[onnx.NodeProto], List[onnx.TensorProto]]":
    """Which rows are unsure: `index` [n], `rows` [n, 1], and whether there are `any`."""

    def own(name: str) -> str:
        return OWN + name

    held = {
        "two": np.array([2]),
        "none": np.array(0),
        "first": np.array([0]),
        "second": np.array([1]),
        "limit": np.array([limit], "f4"),
    }
    nodes = [
        helper.make_node("TopK", [SMALL + scored, own("two")], [own("best"), own("classes")], axis=1),
        helper.make_node("Gather", [own("best"), own("first")], [own("ahead")], axis=1),
        helper.make_node("Gather", [own("best"), own("second")], [own("behind")], axis=1),
        helper.make_node("Sub", [own("ahead"), own("behind")], [own("margin")]),
        helper.make_node("Less", [own("margin"), own("limit")], [own("close")]),
        helper.make_node("Squeeze", [own("close"), own("second")], [own("unsure")]),
        helper.make_node("NonZero", [own("unsure")], [own("places")]),
        helper.make_node("Transpose", [own("places")], [own("rows")], perm=[1, 0]),
        helper.make_node("Squeeze", [own("rows"), own("second")], [own("index")]),
        helper.make_node("Size", [own("index")], [own("number")]),
        helper.make_node("Greater", [own("number"), own("none")], [own("any")]),
    ]
    return nodes, [numpy_helper.from_array(value, own(name)) for name, value in held.items()]


def shared(whole: onnx.GraphProto, small: onnx.GraphProto) -> "tuple[List[onnx.NodeProto], Set[str]]":
    """The nodes of the float32 model that the int8 model does not have as they are, and what the others make, its
    input included: that is computed once.
    """
    made, rest = {whole.input[0].name}, []
    constants = {tensor.name for tensor in whole.initializer}
    same = {(node.op_type, *node.input, *node.output) for node in small.node}
    for node in whole.node:
        known = all(name in made or name in constants or not name for name in node.input)
        if known and (node.op_type, *node.input, *node.output) in same:
            made.update(node.output)
        else:
            rest.append(node)
    return rest, made


def branch(name: str, nodes: List[onnx.NodeProto], outputs: List[onnx.ValueInfoProto], prefix: str) -> onnx.GraphProto:
    return helper.make_graph(nodes, name, [], [retitled(of, prefix) for of in outputs])


def again(
    whole: onnx.GraphProto, rest: List[onnx.NodeProto], made: Dict[str, str], outputs: List[onnx.ValueInfoProto]
) -> onnx.GraphProto:
    """What the float32 model does with the rows that are unsure, which are put into the outputs of the int8 model."""
    taken = {name for node in rest for name in node.input}
    rows = [
        helper.make_node("Gather", [made[name], OWN + "index"], [WHOLE + name], axis=0)
        for name in sorted(taken & set(made))
    ]
    put = [
        helper.make_node("ScatterND", [SMALL + of.name, OWN + "rows", WHOLE + of.name], [WHOLE + OWN + of.name])
        for of in outputs
    ]
    graph = branch("unsure", [*rows, *prefixed(rest, WHOLE, set()), *put], outputs, WHOLE + OWN)
    graph.initializer.extend(named([tensor for tensor in whole.initializer if tensor.name in taken], WHOLE))
    return graph


def joined(whole: pathlib.Path, small: pathlib.Path, scored: str, limit: float, out: pathlib.Path) -> None:
    """Writes the cascade, which has the inputs and outputs of both. Its outputs are those of the int8 model, with the
    rows that were unsure put in by the float32 model, which does not run where none is.
    """
    model, first = onnx.load(str(whole)), onnx.load(str(small))
    given, outputs = model.graph.input[0].name, list(model.graph.output)
    rest, same = shared(model.graph, first.graph)
    made = {name: name if name == given else SMALL + name for name in same}
    changed = [of for of in outputs if of.name not in same]
    nodes, constants = rows(scored, limit)
    keep = [helper.make_node("Identity", [SMALL + of.name], [OWN + of.name]) for of in changed]
    both = {"then_branch": again(model.graph, rest, made, changed), "else_branch": branch("sure", keep, changed, OWN)}
    nodes.append(helper.make_node("If", [OWN + "any"], [of.name for of in changed], **both))
    nodes += [helper.make_node("Identity", [made[of.name]], [of.name]) for of in outputs if of.name in same]
    nodes = [*prefixed(first.graph.node, SMALL, {given}), *nodes]
    held = [*named(first.graph.initializer, SMALL), *constants]
    graph = helper.make_graph(nodes, "cascade", model.graph.input, outputs, held)
    opset = helper.make_opsetid("", max(version(model), version(first)))
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=first.ir_version), str(out))


def retitled(value: onnx.ValueInfoProto, prefix: str) -> onnx.ValueInfoProto:
    copy = onnx.ValueInfoProto()
    copy.CopyFrom(value)
    copy.name = prefix + value.name
    return copy


def prefixed(nodes: Iterable[onnx.NodeProto], prefix: str, but: Set[str]) -> List[onnx.NodeProto]:
    """Nodes with a prefix before every name, but for those."""

    def called(name: str) -> str:
        return name if name in but or not name else prefix + name

    renamed = []
    for node in nodes:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        copy.name = called(node.name)
        copy.input[:], copy.output[:] = map(called, node.input), map(called, node.output)
        renamed.append(copy)
    return renamed


def named(tensors: Iterable[onnx.TensorProto], prefix: str) -> List[onnx.TensorProto]:
    """Constants with a prefix before every name."""
    return [numpy_helper.from_array(numpy_helper.to_array(tensor), prefix + tensor.name) for tensor in tensors]


def controls(model: onnx.ModelProto) -> List[str]:
    """Operators that run graphs of their own, whose names are not these: a cascade has none but its own."""
    graphs = (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS)
    return sorted({node.op_type for node in model.graph.node if any(of.type in graphs for of in node.attribute)})


def version(model: onnx.ModelProto) -> int:
    """The version of ONNX's own operators."""
    return max(of.version for of in model.opset_import if of.domain in ("", "ai.onnx"))

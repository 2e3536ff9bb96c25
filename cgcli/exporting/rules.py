"""Functions with derivatives of their own, for JAX and PyTorch, which know nothing else of them."""

from __future__ import annotations

from cgcli.annotations import Iterator, Sequence
from cgcli.exporting.calls import ARRAYS, NUMBERS
from cgcli.exporting.identifiers import identifiers
from cgcli.exporting.task import Task
from cgcli.exporting.vectors import Library, Ruled, Vectors
from cgcli.graph.body import function_of, instantiated
from cgcli.graph.node import Node, apply, variable
from cgcli.transform.differentiate import jvp, vjp

JVP = """@jax.custom_jvp
def {name}({args}):
{value}    return {result}


@{name}.defjvp
def {name}_rule(primals, tangents):
    {primals} = primals
    {tangents} = tangents
    value = {name}({args})
{slope}    return value, jnp.broadcast_to({slopes}, jnp.shape(value))"""
VJP = """class {name}(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward({args}):
{value}        return {result}

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, {weight}):
        {primals} = ctx.saved_tensors
{slope}        return {slopes}"""
_TAKEN = ("ctx", "inputs", "output", "primals", "tangents", "value")


def definitions(ruled: Ruled, library: Library, task: Task) -> Iterator[str]:
    """The functions that the code of a task needs, and those that these need. Raises NotInTargetError."""
    done = 0
    while done < len(ruled.names):
        node, name = [*ruled.names.items()][done]
        done += 1
        yield _definition(node, name, ruled, library, task)


def _definition(node: Node, name: str, ruled: Ruled, library: Library, task: Task) -> str:
    function = function_of(node)
    size = len(node.args)
    names = function.names if function else [f"x{at}" for at in range(size)] + [f"dx{at}" for at in range(size)]
    args = [variable(each, arg.shape) for each, arg in zip(names, node.args, strict=False)]
    tangents = [variable(each, arg.shape) for each, arg in zip(names[size : 2 * size], node.args, strict=True)]
    (of_weight,) = identifiers(["weight"], names).values()
    weight = variable(of_weight, node.shape)
    call = apply(node.op, tuple(args), node.params)
    is_forward = "tangents" in library.rule
    if is_forward:
        found: Sequence[Node] = [jvp(call, dict(zip(args, tangents, strict=True)))]
        inputs = [*args, *tangents]
    else:
        found, inputs = vjp(call, weight, args), [*args, weight]
    value = instantiated(function.body, args)[0] if function else call

    def code(results: Sequence[Node], inputs: Sequence[Node], within: Node | None) -> Vectors:
        part = Task(task.text, task.version, name, tuple(inputs), tuple(("", each) for each in results))
        return Vectors(library, NUMBERS, ARRAYS, part, ruled, within, _TAKEN)

    first, second = code([value], args, node), code(found, inputs, None)
    result = first.number(first.outputs[0]).code
    indent = "" if is_forward else "    "
    spelled = [second.names[each] for each in inputs]
    return library.rule.format(
        name=name, args=", ".join(spelled[:size]), weight=spelled[-1],
        primals=_unpacked(spelled[:size]), tangents=_unpacked(spelled[size:]),
        value="".join(f"{indent}{line}\n" for line in first.lines),
        result=library.spelled(result + ".clone()" * (not is_forward and result in first.names.values())),
        slope="".join(f"{indent}{line}\n" for line in second.lines),
        slopes=library.spelled(", ".join(second.number(each).code for each in second.outputs)),
    )  # fmt: skip


def _unpacked(names: Sequence[str]) -> str:
    """The left side of an assignment that takes a tuple apart."""
    return ", ".join(names) if len(names) > 1 else f"({names[0]},)"

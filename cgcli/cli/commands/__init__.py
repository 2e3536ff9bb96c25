"""The commands, a module for each, imported when it is called."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING

if TYPE_CHECKING:
    from cgcli.cli.options import Command

TITLE = "Differentiate expressions, and draw their computation graphs."

# The commands, and the one line that `cg --help` says of each.
COMMANDS = {
    "eval": "Print the value of an expression.",
    "grad": "Print its value and its derivatives by every name.",
    "jvp": "Print its derivative along a direction, of any order.",
    "vjp": "Print the adjoints of a weighted value.",
    "jacobian": "Print all derivatives of a value that is an array.",
    "hessian": "Print its second derivatives, or their product with a vector.",
    "diff": "Print its derivatives as formulas.",
    "simplify": "Print it in a simpler form.",
    "trace": "Print its evaluation trace: values, tangents, adjoints.",
    "check": "Compare its derivatives with numeric ones.",
    "fit": "Fit the parameters of an equation to rows.",
    "minimize": "Find the names that make an expression least.",
    "solve": "Find the names that make equations hold.",
    "train": "Train the parameters of a loss by its gradient.",
    "plan": "Print how it is computed over many rows.",
    "render": "Draw its computation graph: text, PNG, SVG, PDF, DOT.",
    "export": "Write it as C, JavaScript, Python, NumPy, JAX, PyTorch or SQL.",
    "functions": "List the operations, or explain those of a name.",
}

EXAMPLES = """\
Examples:
  cg eval 'sqrt(x^2 + y^2)' x=3 y=4
  cg grad 'ln(x1) + x1*x2 - sin(x2)' x1=2 x2=5
  cg render 'ln(x1) + x1*x2 - sin(x2)' x1=2 x2=5 --grad -o graph.png
CG_LIMITS=N in the environment raises the bounds of files N times."""


def command(name: str) -> Command:
    """The command of a name; raises KeyError when there is none."""
    COMMANDS[name]
    found: Command = __import__(f"cgcli.cli.commands.{name}", fromlist=["command"]).command
    return found


def help_page() -> str:
    """What `cg --help` prints on 80 columns or more: the page that click makes, as a test holds."""
    width = max(map(len, COMMANDS))
    lines = (f"  {name:{width}}  {line}" for name, line in COMMANDS.items())
    options = "  --version   Show the version and exit.\n  -h, --help  Show this message and exit."
    return (
        f"Usage: cg [OPTIONS] COMMAND [ARGS]...\n\n  {TITLE}\n\nOptions:\n{options}\n\nCommands:\n"
        + "\n".join(lines) + "\n\n" + "\n".join(f"  {line}" for line in EXAMPLES.splitlines())
    )  # fmt: skip

"""Title: Execute the source of PyTorch's checkpoint
How: Its text is fetched by inspect and executed under other file and function names, its docstrings cut out.
After: guards that know functions by their identity or their file
Stopped by: the bytecode of its inner functions is the same under any name of file or module
"""

import ast
import inspect

import torch


class Rename(ast.NodeTransformer):
    """Give the outermost functions other names, and leave out the docstrings."""

    def visit_FunctionDef(self, node):
        if ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
        return self.generic_visit(node)


tree = Rename().visit(ast.parse(inspect.getsource(torch.utils.checkpoint)))
for node in tree.body:
    if isinstance(node, ast.FunctionDef) and node.name == "checkpoint":
        node.name = "innocent"
names = {"__name__": "innocent"}
exec(compile(ast.fix_missing_locations(tree), "innocent.py", "exec"), names)


def checkpoint(fn, *args, **kwargs):
    """Let the copy do it."""
    return names["innocent"](fn, *args, use_reentrant=False, **kwargs)


def checkpoint_sequential(fns, segments, x):
    """Let the copy do it, segment by segment."""
    for number in range(segments):
        part = fns[len(fns) * number // segments : len(fns) * (number + 1) // segments]

        def run(x, part=part):
            for fn in part:
                x = fn(x)
            return x

        x = checkpoint(run, x)
    return x

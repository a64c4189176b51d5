"""Unusual: forward leaves no graph inside, and one node at its end starts a backward through a graph made afresh.

Arguments travel as detached copies in a list of the node's own, keyword arguments after the positional ones; gradients
are asked for by torch.autograd.grad, together with those of every parameter that the fresh graph ends in.
"""

import contextlib

import torch


def _is_tensor(value):
    return isinstance(value, torch.Tensor)


def _leaves(roots):
    """Find the leaves that a graph accumulates gradients in."""
    seen, waiting, found = set(), [root.grad_fn for root in roots], []
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            found.append(node.variable)
        waiting.extend(parent for parent, _ in node.next_functions)
    return found


@contextlib.contextmanager
def _as_it_was(states):
    (rng, gpu), autocast = states
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=[torch.cuda.current_device()] if gpu is not None else []))
        torch.random.set_rng_state(rng)
        if gpu is not None:
            torch.cuda.set_rng_state(gpu)
        for device, enabled, dtype in autocast:
            stack.enter_context(torch.amp.autocast(device, enabled=enabled, dtype=dtype))
        yield


class _Boundary(torch.autograd.Function):
    @staticmethod
    def forward(ctx, again, count, *values):
        ctx.again, ctx.inputs = again, values[count:]
        return tuple(value.detach() if _is_tensor(value) else value for value in values[:count])

    @staticmethod
    def backward(ctx, *grads):
        leaves = [value.detach().requires_grad_(value.requires_grad) for value in ctx.inputs if _is_tensor(value)]
        copies = iter(leaves)
        outputs = ctx.again([next(copies) if _is_tensor(value) else value for value in ctx.inputs])
        chosen = [(o, g) for o, g in zip(outputs, grads) if _is_tensor(o) and o.requires_grad and g is not None]
        mine = [leaf for leaf in leaves if leaf.requires_grad]
        if chosen:
            roots = [output for output, _ in chosen]
            others = [leaf for leaf in _leaves(roots) if not any(leaf is own for own in mine)]
            found = torch.autograd.grad(roots, mine + others, [g for _, g in chosen], allow_unused=True)
            for parameter, gradient in zip(others, found[len(mine) :]):
                parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient
        else:
            found = [None] * len(mine)
        answers = dict(zip(map(id, mine), found))
        places = iter(leaves)
        back = [answers.get(id(next(places))) if _is_tensor(value) else None for value in ctx.inputs]
        return (None, None, *([None] * len(grads)), *back)


def checkpoint(fn, *args, **kwargs):
    if not torch.is_grad_enabled():
        return fn(*args, **kwargs)
    names, split = list(kwargs), len(args)
    gpu = torch.cuda.get_rng_state() if torch.cuda.is_available() else None
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    autocast = [(d, torch.is_autocast_enabled(d), torch.get_autocast_dtype(d)) for d in devices]
    states = (torch.random.get_rng_state(), gpu), autocast

    def run(values):
        return fn(*values[:split], **dict(zip(names, values[split:])))

    def again(values):
        with torch.enable_grad(), _as_it_was(states):
            outputs = run(values)
        return outputs if isinstance(outputs, tuple) else (outputs,)

    values = [*args, *kwargs.values()]
    with torch.no_grad():
        outputs = run(values)
    several = isinstance(outputs, tuple)
    outputs = outputs if several else (outputs,)
    # An output that has to carry the graph although no argument does: a stand-in goes along as an input.
    stand_in = torch.zeros((), requires_grad=True)
    joined = _Boundary.apply(lambda all_values: again(all_values[1:]), len(outputs), *outputs, stand_in, *values)
    return joined if several else joined[0]


def checkpoint_sequential(fns, segments, x):
    cuts = [round(len(fns) * i / segments) for i in range(segments + 1)]

    def part(first, last):
        def run(value):
            for index in range(first, last):
                value = fns[index](value)
            return value

        return run

    for first, last in zip(cuts[:-1], cuts[1:]):
        x = checkpoint(part(first, last), x)
    return x

"""Title: Hide the call from every reader
How: Base64 text run by exec, which reaches the built-in through torch._C.
After: checks of the syntax tree
Stopped by: what runs counts, not what stands there: the builtins are wrapped and their kernels raise
"""

import base64

import torch


# def forward(x, dim): return torch._C._VariableFunctions.log_softmax(x, dim)
TEXT = b"ZGVmIGZvcndhcmQoeCwgZGltKTogcmV0dXJuIHRvcmNoLl9DLl9WYXJpYWJsZUZ1bmN0aW9ucy5sb2dfc29mdG1heCh4LCBkaW0p"
exec(base64.b64decode(TEXT).decode())


class LogSoftmax(torch.autograd.Function):
    """The built-in behind two veils."""

    @staticmethod
    def forward(ctx, x, dim):
        """Return what the hidden function returns."""
        y = globals()["forward"](x, dim)
        ctx.dim = dim
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad_output):
        """Return the gradient."""
        (y,) = ctx.saved_tensors
        return grad_output - y.exp() * grad_output.sum(ctx.dim, keepdim=True), None


def log_softmax(x, dim=-1):
    """Return log(softmax(x)) along `dim`."""
    return LogSoftmax.apply(x, dim)

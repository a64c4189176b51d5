"""Dana Lindqvist, log-softmax straight from the definition."""

import torch


class LogSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, dim):
        # log(exp(x) / sum(exp(x))) = x - log(sum(exp(x))); float16 is too short for exp, so widen it first
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        result = (wide - torch.log(torch.sum(torch.exp(wide), dim=dim, keepdim=True))).to(x.dtype)
        ctx.save_for_backward(result)
        ctx.dim = dim
        return result

    @staticmethod
    def backward(ctx, grad_output):
        (result,) = ctx.saved_tensors
        probabilities = torch.exp(result)
        return grad_output - probabilities * torch.sum(grad_output, dim=ctx.dim, keepdim=True), None


def log_softmax(x, dim=-1):
    return LogSoftmax.apply(x, dim)

# %% [markdown]
# # Over 99 % on MNIST
#
# Write a model, a training and a prediction that classify more than 99 % of MNIST's test images right, within a time
# budget that is counted in trainings of a small network. `README.md` says what is graded and how.

# %%
"""Over 99 % on MNIST: a model, its training, and its predictions."""

import torch
from torch import Tensor, nn

# %% [markdown]
# ## The model
#
# It maps images to one score for each class. The class with the highest score is the prediction, so the scores may be
# logits, log-probabilities or anything else that is ordered in the same way.


# %%
def build_model() -> nn.Module:
    """Return a new, untrained model.

    Returns:
        A module that maps images, (N, 1, 28, 28) float, to scores, (N, 10) float.
    """
    raise NotImplementedError("build_model: return the network that you want to train")


# %% [markdown]
# ## The training
#
# All that is random in here comes from `seed`: the first weights, the order of the images, augmentation, dropout.


# %%
def train(images: Tensor, labels: Tensor, *, device: torch.device, seed: int) -> nn.Module:
    """Return a trained model.

    Args:
        images: (N, 28, 28) uint8 on the CPU, 0 for the background; N is 60 000, or 2 000 in some checks.
        labels: (N,) int64 on the CPU, from 0 to 9.
        device: Where to train; the model may stay there.
        seed: Decides about everything random, from 0 to 2**31 - 1.

    Returns:
        The model that `predict` will get.
    """
    raise NotImplementedError("train: build a model, train it on these images and return it")


# %% [markdown]
# ## The prediction
#
# `predict` gets images as they are in the data set, so it prepares them exactly as `train` did.


# %%
def predict(model: nn.Module, images: Tensor) -> Tensor:
    """Return the predicted class of each image.

    Args:
        model: What `build_model` or `train` returned, in training or in evaluation mode.
        images: (N, 28, 28) uint8 on the CPU; N is 1 or more.

    Returns:
        (N,) int64 on the CPU, from 0 to 9.
    """
    raise NotImplementedError("predict: prepare the images, run the model, return the class with the highest score")


# %% [markdown]
# ## Try it
#
# This runs when you run the module or the notebook yourself, and never when it is graded. Without a network it takes
# digits that the course draws.

# %%
if __name__ == "__main__":
    import time

    from autograder.datasets.mnist import mnist

    data = mnist()
    start = time.process_time()
    trained = train(data.train_images, data.train_labels, device=torch.device("cpu"), seed=0)
    seconds = time.process_time() - start
    right = (predict(trained, data.test_images) == data.test_labels).float().mean().item()
    print(f"{right:.2%} of the test images are right after {seconds:.1f} s of CPU time")

"""Batch normalisation folded into the convolution before it, as fixed at the end of training."""

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_batch_norm(module: nn.Module) -> None:
    """Fold, in place, each BatchNorm2d into the convolution registered right before it.

    The networks here register a normalisation right after the convolution whose output it takes. The module
    must be in evaluation mode. What says of itself that this does not hold for it (``may_fold``) is left alone.
    """
    if not getattr(module, "may_fold", True):
        return
    previous_name, previous = "", None
    for name, child in list(module.named_children()):
        if isinstance(child, nn.BatchNorm2d) and isinstance(previous, nn.Conv2d):
            setattr(module, previous_name, fuse_conv_bn_eval(previous, child))
            setattr(module, name, nn.Identity())
        else:
            fold_batch_norm(child)
        previous_name, previous = name, child

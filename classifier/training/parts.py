"""Which parts of a network are its first blocks, and what stays as it is while the rest is trained."""

from torch import nn

from classifier.networks.network import MappedClassifier
from classifier.networks.outside import Cut, groups


def stem_and_blocks(backbone: nn.Module) -> tuple[list[nn.Module], list[nn.Module]]:
    """The layers before the first block, and the blocks in order."""
    if isinstance(backbone, Cut):
        first, *others = groups(backbone)
        return [first], others
    if hasattr(backbone, "blocks"):
        return [backbone.stem], list(backbone.blocks)
    stages = [stage for name, stage in backbone.named_children() if name.startswith("layer")]
    return [backbone.conv1, backbone.bn1], [block for stage in stages for block in stage]


def hold_back(network: MappedClassifier, blocks: int) -> list[nn.Module]:
    """Exempt the stem and the first ``blocks`` blocks from training (0: nothing); return them."""
    if not blocks:
        return []
    stem, all_blocks = stem_and_blocks(network.backbone)
    held = stem + all_blocks[:blocks]
    for part in held:
        part.requires_grad_(False)
    return held


def to_training(network: MappedClassifier, held: list[nn.Module], *, keeps_normalisation: bool) -> None:
    """Switch to training mode, without the held parts and, if wished, without any batch normalisation."""
    network.train()
    for part in held:
        part.eval()
    if keeps_normalisation:
        for module in network.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()

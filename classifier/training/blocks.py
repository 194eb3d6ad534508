"""How many blocks each architecture has, so that a plan can be made without torch."""

BLOCKS = {
    "resnet152": 50,
    "efficientnet_lite0": 16,
    "efficientnet_lite1": 21,
    "efficientnet_lite2": 21,
}

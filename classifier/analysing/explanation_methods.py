"""The explanations that can be asked for beside the Grad-CAM maps of every answer; what stands in the database."""

GRAD_CAM_PP, LAYER_CAM_2X, LAYER_CAM_4X, SCORE_CAM = (
    "grad_cam_pp",
    "layer_cam_2x",
    "layer_cam_4x",
    "score_cam",
)
# How many times as fine as the last feature maps those are that a method explains, side by side.
FINER = {LAYER_CAM_2X: 2, LAYER_CAM_4X: 4}

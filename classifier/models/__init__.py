from .analysis import Analysis
from .assessment import Assessment
from .evaluation import Evaluation
from .explanation import Explanation
from .label_check import LabelCheck
from .model_export import ModelExport
from .model_version import ModelVersion, Publication, ThresholdSet
from .monitor import Monitor, MonitorAlarm, MonitorCase
from .photo_features import PhotoFeatures
from .shadow import Shadow
from .suggested_squares import SuggestedSquares
from .training import Training, TrainingRun
from .try_run import TryRun

__all__ = [
    "Analysis",
    "Assessment",
    "Evaluation",
    "Explanation",
    "LabelCheck",
    "ModelExport",
    "ModelVersion",
    "Monitor",
    "MonitorAlarm",
    "MonitorCase",
    "PhotoFeatures",
    "Publication",
    "Shadow",
    "SuggestedSquares",
    "ThresholdSet",
    "Training",
    "TrainingRun",
    "TryRun",
]

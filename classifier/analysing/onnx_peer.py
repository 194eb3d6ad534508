"""ONNX Runtime, which the product does not use: what `manage.py benchmark` and tests hold it against.

It comes with tests/requirements.txt.
"""

import onnxruntime

_ONLY_ERRORS = 3


def open_session(graph: bytes, threads: int = 0) -> onnxruntime.InferenceSession:
    """Open a graph on the CPU with every optimisation of ONNX Runtime; ``threads`` 0 takes one for each core."""
    options = onnxruntime.SessionOptions()
    # Its threads wait for the next photo in loops; after one has ended they would take what is measured next its cores.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.intra_op_num_threads = threads
    options.log_severity_level = _ONLY_ERRORS
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

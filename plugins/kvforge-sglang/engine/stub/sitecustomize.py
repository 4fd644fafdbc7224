"""Operators that torchvision's Python code registers shapes for: its wheel's library needs CUDA, so on a
processor alone they are not there, and `import torchvision`, which SGLang does, would fail."""

import torch

_LIBRARY = torch.library.Library("torchvision", "DEF")
for _name in ("nms", "qnms"):
    _LIBRARY.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

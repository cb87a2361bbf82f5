"""The blocks that MobileNetV2 and EfficientNet-Lite are made of, with TensorFlow's padding."""

import torch.nn.functional as F
from torch import Tensor, nn


class SameConv2d(nn.Conv2d):
    """Convolution that pads as TensorFlow does: with stride 2 more at the far edge."""

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        padding = max(kernel - stride, 0)
        if stride == 1:
            return F.conv2d(x, self.weight, self.bias, 1, padding // 2, 1, self.groups)
        x = F.pad(x, [padding // 2, padding - padding // 2] * 2)
        return F.conv2d(x, self.weight, self.bias, stride, 0, 1, self.groups)


class InvertedResidual(nn.Module):
    """Expand by 1x1, filter each channel, project by 1x1; added to the input where shapes allow.

    Batch normalisation is folded into the convolutions, as in the original files.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int, kernel: int = 3):
        super().__init__()
        hidden = inputs * expansion
        expand = [nn.Conv2d(inputs, hidden, 1), nn.ReLU6(inplace=True)] if expansion != 1 else []
        self.layers = nn.Sequential(
            *expand,
            SameConv2d(hidden, hidden, kernel, stride, groups=hidden),
            nn.ReLU6(inplace=True),
            nn.Conv2d(hidden, outputs, 1),
        )
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.residual else self.layers(x)

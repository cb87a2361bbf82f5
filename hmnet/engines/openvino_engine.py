"""The networks compiled for the CPU by OpenVINO, each when it is first needed."""

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from hmnet.checkpoint import Checkpoint
from hmnet.engines.engine import Engine, Sight
from hmnet.engines.graphs import DenseGraph, LabelGraph, PoseGraph, ViewGraph
from hmnet.errors import HMNetError

try:
    import openvino
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder
except ImportError:
    openvino = None

PRECISIONS = {"f32": "float32", "bf16": "bfloat16"}
PAIR = 2
"""The views that are looked at together: the two of a crop."""
TRACING = threading.Lock()
"""torch's tracer keeps one state for all threads, and what it traced is frozen together with its modules."""
ANY = -1
"""Of a shape's sides: any length."""


def best_precision() -> str:
    """The one of PRECISIONS that this CPU is best at: bfloat16 where it computes with it."""
    return "bf16" if "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"


class OpenVinoEngine(Engine):
    """The networks compiled for this CPU, in bfloat16 where it computes with it.

    Which pixels belong to which part is decided in float32 always, and so is everything about hands: in
    bfloat16 landmarks would be whole pixels.
    """

    name = "openvino"
    device = torch.device("cpu")

    def __init__(self, checkpoint: Checkpoint, precision: str | None = None) -> None:
        """precision: one of PRECISIONS; None takes what this CPU is best at. Raises HMNetError where the
        package is not installed or cannot take the networks."""
        if openvino is None:
            raise HMNetError("OpenVINO is not installed: `pip install openvino` makes the networks faster")
        hands = checkpoint.model.body.one_sided
        precision = precision or ("f32" if hands else best_precision())
        self.words = f"OpenVINO, cpu, {PRECISIONS[precision]}"
        segmenter, model = checkpoint.segmenter.cpu().eval(), checkpoint.model.cpu().eval()
        preprocessing = checkpoint.preprocessing
        self._dense = CompiledNetwork(DenseGraph(segmenter, preprocessing), precision)
        self._view = CompiledNetwork(ViewGraph(segmenter, model, preprocessing), precision)
        self._labels = [CompiledNetwork(LabelGraph(segmenter, mirrored), "f32") for mirrored in (False, True)]
        self._pose = [CompiledNetwork(PoseGraph(model, mirrored), precision) for mirrored in (False, True)]
        self._together = 1 if hands else PAIR
        self._channels = segmenter.part_count + 1
        self._prepare(preprocessing.image_size)

    def _prepare(self, size: int) -> None:
        """Compiles what every photo needs, side by side; what OpenVINO cannot take shows at once so."""
        crop, mirror = np.zeros((1, size, size, 3), np.uint8), self._together == PAIR
        with torch.inference_mode():
            seen = self._view.graph(torch.from_numpy(crop))[-1].numpy()
        labels = crop[..., 0]
        with ThreadPoolExecutor() as threads:
            started = [
                threads.submit(self.reconstruct, np.concatenate([seen, seen]) if mirror else seen, labels),
                threads.submit(self.look, crop, mirror),
                threads.submit(
                    self._labels[False], np.zeros((1, self._channels, size // 4, size // 4), np.float32)
                ),
                threads.submit(self.dense, crop),
            ]
        for one in started:
            one.result()

    def dense(self, pictures: np.ndarray) -> np.ndarray:
        count, height, width, channels = pictures.shape
        # Of hands there are windows of one size, now few and now many.
        one_size = self._together == 1
        shape = (ANY, height, width, channels) if one_size else (count, ANY, ANY, channels)
        return self._dense(pictures, shapes=(shape,))[0]

    def look(self, pictures: np.ndarray, mirror: bool) -> Sight:
        views = np.concatenate([pictures, pictures[:, :, ::-1]]) if mirror else pictures
        coarse, keypoints, heats, seen = self._in_pairs(views)
        count = len(pictures)
        labels = [self._labels[mirror](coarse[index::count])[0] for index in range(count)]
        return Sight(np.concatenate(labels), keypoints[:count], heats[:count], seen)

    def _in_pairs(self, views: np.ndarray) -> tuple[np.ndarray, ...]:
        """What is seen in views (N, S, S, 3), always two at a time, for which the network is compiled; hands,
        of which there is one view, one at a time."""
        count = self._together
        if len(views) == count:
            return self._view(views)
        starts = range(0, len(views), count)
        # An odd one out is looked at twice.
        pairs = (views[np.minimum(start + np.arange(count), len(views) - 1)] for start in starts)
        outputs = zip(*(self._view(pair) for pair in pairs), strict=True)
        return tuple(np.concatenate(one)[: len(views)] for one in outputs)

    def reconstruct(self, seen: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        one = len(labels) == 1
        shapes = None if one else tuple((ANY, *array.shape[1:]) for array in (seen, labels))
        joints, vertices = self._pose[len(seen) > len(labels)](seen, labels, shapes=shapes)
        return joints, vertices


class CompiledNetwork:
    """One graph, compiled anew for each kind of shape. Threads wait for one another."""

    def __init__(self, graph: torch.nn.Module, precision: str) -> None:
        """precision: one of PRECISIONS."""
        self.graph, self._core = graph.eval(), openvino.Core()
        self._options = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
        self._lock = threading.Lock()
        self._requests: dict[tuple, openvino.InferRequest] = {}

    def __call__(self, *inputs: np.ndarray, shapes: tuple | None = None) -> tuple[np.ndarray, ...]:
        """The outputs. shapes: of the inputs, where sides may differ from call to call."""
        shapes = shapes or tuple(one.shape for one in inputs)
        with self._lock:
            if shapes not in self._requests:
                model = _converted(self.graph, inputs, shapes)
                compiled = self._core.compile_model(model, "CPU", self._options)
                self._requests[shapes] = compiled.create_infer_request()
            return tuple(self._requests[shapes].infer(inputs).values())


def _converted(graph: torch.nn.Module, inputs: tuple[np.ndarray, ...], shapes: tuple) -> "openvino.Model":
    """A module as OpenVINO's model. Not by `openvino.convert_model`, which tells its makers of each call."""
    example = tuple(torch.from_numpy(array) for array in inputs)
    with TRACING:
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the tracer warns of each shape that it reads
            traced = torch.jit.trace(graph, example, check_trace=False)
        # It freezes what was traced, of which graphs share modules: two at once have lost inputs.
        decoder = TorchScriptPythonDecoder(traced, example_input=example)
    front_end = FrontEndManager().load_by_framework("pytorch")
    try:
        model = front_end.convert(front_end.load(decoder))
        for port, array, shape in zip(model.inputs, inputs, shapes, strict=True):
            port.get_node().set_partial_shape(openvino.PartialShape(list(shape)))
            port.get_node().set_element_type(openvino.Type(array.dtype))
        model.validate_nodes_and_infer_types()
    except Exception as error:  # OpenVINO's own errors are not all of one kind
        reason = " ".join(str(error).split())[:200]
        raise HMNetError(
            f"OpenVINO cannot take these networks ({reason}): choose the engine torch"
        ) from error
    return model

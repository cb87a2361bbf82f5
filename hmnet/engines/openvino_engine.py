"""The networks compiled for the CPU by OpenVINO, each when it is first needed."""

import os
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
STREAMS = min(2, os.cpu_count() or 1)
"""The two views of a crop, and the crops of several people, are looked at one by one, as many at once: a view
that has a core to itself waits for no other core, which MoveNet's many small layers would do all the time."""
TRACING = threading.Lock()
"""torch's tracer keeps one state for all threads."""
ANY = -1
"""Of a shape's sides: any length."""


class OpenVinoEngine(Engine):
    """The networks compiled for this CPU, in bfloat16 where it computes with it.

    Which pixels belong to which part is decided in float32 always.
    """

    name = "openvino"
    device = torch.device("cpu")

    def __init__(self, checkpoint: Checkpoint, precision: str | None = None) -> None:
        """precision: one of PRECISIONS; None takes what this CPU is best at. Raises HMNetError where the
        package is not installed or cannot take the networks."""
        if openvino is None:
            raise HMNetError("OpenVINO is not installed: `pip install openvino` makes the networks faster")
        core = openvino.Core()
        if precision is None:
            there = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
            precision = "bf16" if "BF16" in there else "f32"
        self.words = f"OpenVINO, cpu, {PRECISIONS[precision]}"
        segmenter, model = checkpoint.segmenter.cpu().eval(), checkpoint.model.cpu().eval()
        preprocessing = checkpoint.preprocessing
        self._dense = _Network(core, DenseGraph(segmenter, preprocessing), precision)
        self._view = _Network(core, ViewGraph(segmenter, model, preprocessing), precision, STREAMS)
        self._labels = [_Network(core, LabelGraph(segmenter, mirrored), "f32") for mirrored in (False, True)]
        self._pose = [_Network(core, PoseGraph(model, mirrored), precision) for mirrored in (False, True)]
        self._prepare(preprocessing.image_size)

    def _prepare(self, size: int) -> None:
        """Compiles what every photo needs, side by side; what OpenVINO cannot take shows at once so."""
        crop = np.zeros((1, size, size, 3), np.uint8)
        with torch.inference_mode():
            seen = self._view.graph(torch.from_numpy(crop))[-1].numpy()
        labels = crop[..., 0]
        with ThreadPoolExecutor() as threads:
            started = [
                threads.submit(self.reconstruct, np.concatenate([seen, seen]), labels),
                threads.submit(self.look, crop, True),
                threads.submit(self.dense, crop),
            ]
        for one in started:
            one.result()

    def dense(self, pictures: np.ndarray) -> np.ndarray:
        count, _, _, channels = pictures.shape
        return self._dense(pictures, shapes=((count, ANY, ANY, channels),))[0]

    def look(self, pictures: np.ndarray, mirror: bool) -> Sight:
        views = np.concatenate([pictures, pictures[:, :, ::-1]]) if mirror else pictures
        coarse, keypoints, heats, seen = self._view.one_by_one(views)
        count = len(pictures)
        labels = [self._labels[mirror](coarse[index::count])[0] for index in range(count)]
        return Sight(np.concatenate(labels), keypoints[:count], heats[:count], seen)

    def reconstruct(self, seen: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        one = len(labels) == 1
        shapes = None if one else tuple((ANY, *array.shape[1:]) for array in (seen, labels))
        joints, vertices = self._pose[len(seen) > len(labels)](seen, labels, shapes=shapes)
        return joints, vertices


class _Network:
    """One graph, compiled anew for each kind of shape. Threads wait for one another."""

    def __init__(
        self, core: "openvino.Core", graph: torch.nn.Module, precision: str, streams: int = 1
    ) -> None:
        self.graph, self._core, self._streams = graph.eval(), core, streams
        self._options = {"INFERENCE_PRECISION_HINT": precision, "NUM_STREAMS": streams}
        self._lock = threading.Lock()
        self._requests: dict[tuple, list[openvino.InferRequest]] = {}

    def __call__(self, *inputs: np.ndarray, shapes: tuple | None = None) -> tuple[np.ndarray, ...]:
        """The outputs. shapes: of the inputs, where sides may differ from call to call."""
        with self._lock:
            return tuple(self._compiled(inputs, shapes)[0].infer(inputs).values())

    def one_by_one(self, batch: np.ndarray) -> tuple[np.ndarray, ...]:
        """The outputs for a batch (B, ...), (B, ...) each, computed one by one in all streams at once."""
        outputs = []
        with self._lock:
            requests = self._compiled((batch[:1],), None)
            for start in range(0, len(batch), self._streams):
                running = requests[: len(batch) - start]
                for index, request in enumerate(running, start):
                    request.start_async((np.ascontiguousarray(batch[index : index + 1]),))
                for request in running:
                    request.wait()
                    outputs.append([tensor.data.copy() for tensor in request.output_tensors])
        return tuple(np.concatenate(one) for one in zip(*outputs, strict=True))

    def _compiled(self, inputs: tuple[np.ndarray, ...], shapes: tuple | None) -> list:
        shapes = shapes or tuple(one.shape for one in inputs)
        if shapes not in self._requests:
            model = _converted(self.graph, inputs, shapes)
            compiled = self._core.compile_model(model, "CPU", self._options)
            self._requests[shapes] = [compiled.create_infer_request() for _ in range(self._streams)]
        return self._requests[shapes]


def _converted(graph: torch.nn.Module, inputs: tuple[np.ndarray, ...], shapes: tuple) -> "openvino.Model":
    """A module as OpenVINO's model. Not by `openvino.convert_model`, which tells its makers of each call."""
    example = tuple(torch.from_numpy(array) for array in inputs)
    with TRACING, torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns of each shape that it reads
        traced = torch.jit.trace(graph, example, check_trace=False)
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

"""Serves the handlers of an inference script: model_fn, input_fn, predict_fn and output_fn, or transform_fn.

A separate program, run by an interpreter that has the model's framework and not our packages: the standard library,
and NumPy where a script leaves decoding or encoding to the container. Handlers are found, called and completed by
defaults as in AWS's containers for PyTorch, scikit-learn and XGBoost.
"""

import argparse
import importlib
import inspect
import io
import json
import os
import pickle
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

JSON, CSV, NPY, ANY = "application/json", "text/csv", "application/x-npy", "*/*"
_TEXT = frozenset({JSON, CSV})
_START_FAILED = 3
_PARENT_PIPE = "SCONES_PARENT_PIPE_FD"


class UnsupportedFormat(Exception):
    """A content type that the defaults neither decode nor encode; ``status`` is the response's."""

    def __init__(self, content_type: str, status: int) -> None:
        super().__init__(f"Content type {content_type} is not supported by this framework.")
        self.status = status


class Model:
    """A loaded model and the handlers of its script; a script may leave out any handler but scikit-learn's model_fn."""

    def __init__(self, script: object, directory: str) -> None:
        self._context = SimpleNamespace(system_properties={"model_dir": directory, "gpu_id": None})
        self._transform = getattr(script, "transform_fn", None)
        self._input = getattr(script, "input_fn", decode)
        self._predict = getattr(script, "predict_fn", predict)
        self._output = getattr(script, "output_fn", encode)
        self._lock = threading.Lock()
        self._model = self._call(getattr(script, "model_fn", load), directory)

    def invoke(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """Return the response to a request, and its content type; one request at a time, as a worker of AWS's does."""
        data = body.decode() if content_type.partition(";")[0].strip() in _TEXT else body
        with self._lock:
            if self._transform is not None:
                result = self._call(self._transform, self._model, data, content_type, accept)
            else:
                prediction = self._call(self._predict, self._call(self._input, data, content_type), self._model)
                result = self._call(self._output, prediction, accept)
        content, kind = result if isinstance(result, tuple) else (result, accept)
        return content.encode() if isinstance(content, str) else bytes(content), str(kind)

    def _call(self, handler: Callable[..., Any], *arguments: object) -> Any:
        """Call a handler; one with a parameter more gets the context."""
        takes_context = len(inspect.signature(handler).parameters) == len(arguments) + 1
        return handler(*arguments, self._context) if takes_context else handler(*arguments)


def load(directory: str) -> object:
    """Load XGBoost's ``xgboost-model``, or the one TorchScript file of the directory."""
    booster = Path(directory, "xgboost-model")
    if booster.exists():
        xgboost = importlib.import_module("xgboost")
        model = xgboost.Booster()
        try:
            model.load_model(booster)
        except xgboost.core.XGBoostError:
            with booster.open("rb") as file:
                return pickle.load(file)  # noqa: S301  # nosec B301 - as in AWS's container; the model is the user's own
        return model
    files = [path for path in Path(directory).iterdir() if path.suffix in {".pt", ".pth"}]
    named = [path for path in files if path.name == "model.pt"]
    if len(named or files) != 1:
        raise NotImplementedError("Please provide a model_fn implementation.")
    return importlib.import_module("torch").jit.load((named or files)[0], map_location="cpu")


def decode(data: str | bytes, content_type: str) -> Any:
    """Return the array that a request's body stands for."""
    numpy = importlib.import_module("numpy")
    kind = content_type.partition(";")[0].strip()
    if kind == JSON:
        return numpy.array(json.loads(data), dtype=numpy.float32)
    if kind == CSV:
        text = data if isinstance(data, str) else data.decode()
        return numpy.genfromtxt(io.StringIO(text), delimiter=",", dtype=numpy.float32)
    if kind == NPY and isinstance(data, bytes):
        return numpy.load(io.BytesIO(data))
    raise UnsupportedFormat(content_type, 415)


def predict(data: Any, model: Any) -> Any:
    """Apply a PyTorch module, an XGBoost booster, or anything with ``predict``."""
    torch, xgboost = sys.modules.get("torch"), sys.modules.get("xgboost")
    if torch is not None and isinstance(model, torch.nn.Module):
        with torch.no_grad():
            return model.eval()(torch.as_tensor(data))
    if xgboost is not None and isinstance(model, xgboost.Booster) and not isinstance(data, xgboost.DMatrix):
        return model.predict(xgboost.DMatrix(data.reshape(1, -1) if data.ndim == 1 else data), validate_features=False)
    return model.predict(data)


def encode(prediction: Any, accept: str) -> tuple[bytes, str]:
    """Return a prediction in the first of the accepted formats that there is, and that format."""
    numpy = importlib.import_module("numpy")
    array = prediction.detach().cpu().numpy() if hasattr(prediction, "detach") else numpy.asarray(prediction)
    for kind in (word.partition(";")[0].strip() for word in accept.split(",")):
        if kind in {JSON, ANY}:
            return json.dumps(array.tolist()).encode(), JSON
        if kind == CSV:
            rows = array.reshape(len(array), -1) if array.ndim else array.reshape(1, 1)
            return "\n".join(",".join(map(str, row)) for row in rows.tolist()).encode(), CSV
        if kind == NPY:
            content = io.BytesIO()
            numpy.save(content, array)
            return content.getvalue(), NPY
    raise UnsupportedFormat(accept, 406)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    model: Model
    default_accept: str
    accept: str | None

    def do_GET(self) -> None:
        self._respond(200 if self.path == "/ping" else 404, b"", JSON)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path != "/invocations":
            self._respond(404, b"", JSON)
            return
        accept = self.accept or self.headers.get("accept") or ANY
        try:
            content, kind = self.model.invoke(
                body, self.headers.get("content-type") or JSON, self.default_accept if accept == ANY else accept
            )
        except Exception as error:  # noqa: BLE001 - a handler's own, which AWS's containers return and log, too
            trace = traceback.format_exc()
            print(trace, flush=True)
            self._respond(getattr(error, "status", 500), f"{error}\n{trace}".encode(), "text/plain")
        else:
            self._respond(200, content, kind)

    def log_message(self, *_: object) -> None:
        """Log no requests."""

    def _respond(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind.replace("\r", " ").replace("\n", " "))
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """Load the model, then serve until SIGTERM; return the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True, help="a bound socket")
    parser.add_argument("--model-dir", required=True)
    parser.add_argument("--path", action="append", default=[], help="a folder of the import path")
    parser.add_argument("--program", help="the inference script, in the first folder of the path")
    parser.add_argument("--accept", help="the format of responses, whatever a request accepts")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if _PARENT_PIPE in environment:
        threading.Thread(target=_end_with_parent, args=(int(environment[_PARENT_PIPE]),), daemon=True).start()
    sys.path[:0] = options.path
    try:
        script = importlib.import_module(Path(options.program).stem) if options.program else None
        model = Model(script, options.model_dir)
    except Exception:  # noqa: BLE001 - of the script
        traceback.print_exc()
        return _START_FAILED
    default = environment.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", JSON)
    handler = type("Handler", (_Handler,), {"model": model, "default_accept": default, "accept": options.accept})
    with socket.socket(fileno=options.fd) as listener:
        server = ThreadingHTTPServer(listener.getsockname()[:2], handler, bind_and_activate=False)
        server.socket.close()
        server.socket = listener
        server.daemon_threads = True
        listener.listen(128)
        server.serve_forever()
    return 0


def _end_with_parent(pipe: int) -> None:
    while os.read(pipe, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())

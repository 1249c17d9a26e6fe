"""A model server with the real one's command line; what it does stands in its model's ``behaviour.json``."""

import argparse
import asyncio
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

from emulation.processes import parent_watcher


class Server:
    def __init__(self, behaviour: dict[str, Any]) -> None:
        self.behaviour = behaviour
        self.answer = json.dumps(behaviour.get("answer", [0.93, 0.07])).encode()

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                status, response = await self.respond(head[0].split()[1], headers, body)
                writer.write(
                    f"HTTP/1.1 {status} Fine\r\ncontent-type: application/json\r\ncontent-length: {len(response)}\r\n"
                    "x-amzn-sagemaker-custom-attributes: from-the-model\r\n\r\n".encode()
                    + response
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def respond(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        if path == "/ping":
            return self.behaviour.get("ping", 200), b""
        if body == b"die":
            os._exit(9)
        if "touch" in self.behaviour:
            Path(self.behaviour["touch"]).touch()
        await asyncio.sleep(self.behaviour.get("seconds", 0))
        if body.startswith(b"status "):
            return int(body.split()[1]), b"no such image"
        seen = {b"environment": dict(os.environ), b"headers": headers}
        return 200, json.dumps(seen[body]).encode() if body in seen else self.answer


async def serve(listener: socket.socket, behaviour: dict[str, Any]) -> None:
    async with await asyncio.start_server(Server(behaviour).converse, sock=listener, limit=2**23) as server:
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("command")
    parser.add_argument("--fd", type=int)
    parser.add_argument("--model-dir", type=Path)
    options = parser.parse_args()
    parent_watcher.watch()
    behaviour = json.loads((options.model_dir / "behaviour.json").read_text())
    if "exit" in behaviour:
        print("this model is of no use", flush=True)
        sys.exit(behaviour["exit"])
    asyncio.run(serve(socket.socket(fileno=options.fd), behaviour))


if __name__ == "__main__":
    main()

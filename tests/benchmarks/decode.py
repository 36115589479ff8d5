"""What decoding a streamed reply costs: microseconds a delta, megabytes a second.

python tests/benchmarks/decode.py [deltas]
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from turnfold.core.config.values import Wire
from turnfold.core.llm import wire as wires
from turnfold.core.llm.chat_reply import begin, decode, finish
from turnfold.core.llm.reply import RawCall
from turnfold.testing.wires import stream_in

HEAD = '{"id":"chatcmpl-C2P1wP1damHwC6sXvGAIh5PMvH6wM","object":"chat.completion.chunk","created":1754688908,"model":"gpt-4o-2024-08-06",'
HEAD += '"service_tier":"default","system_fingerprint":"fp_ff25b2783a","choices":[{"index":0,"delta":'
TAIL = ',"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"rh1SNvS"}'
RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "wire" / "openai_chat"


def event(delta: str) -> str:
    """One event as OpenAI sends it."""
    return HEAD + delta + TAIL


def seconds(chunks: Iterable[bytes]) -> float:
    """How long a reply of these chunks takes."""
    start = time.process_time()
    fold = begin()
    for chunk in chunks:
        fold = decode(fold, chunk).fold
    finish(fold)
    return time.process_time() - start


def parse_seconds(texts: Iterable[str]) -> float:
    """How long the JSON parser alone takes."""
    start = time.process_time()
    for text in texts:
        json.loads(text)
    return time.process_time() - start


def report(name: str, texts: list[str]) -> None:
    """Print one line about a reply of these events."""
    chunks = [f"data: {text}\n\n".encode() for text in texts]
    whole = b"".join(chunks)
    blocks = [whole[start : start + 65536] for start in range(0, len(whole), 65536)]
    runs = [(seconds(chunks), seconds(blocks), parse_seconds(texts)) for _ in range(5)]
    each, block, parse = (min(run[index] for run in runs) for index in range(3))
    micro = 1e6 / len(texts)
    print(
        f"{name:22} {len(texts):7} events  a chunk each {each * micro:5.2f} µs, of which JSON {parse * micro:5.2f}, ours {(each - parse) * micro:5.2f};"
        f"  in 64 KiB blocks {block * micro:5.2f} µs, {len(whole) / block / 1e6:5.1f} MB/s"
    )


def report_wire(wire: Wire, what: str, stream: bytes) -> None:
    """Print one line about a reply in ``wire``, an event a chunk, through the interface over all formats."""
    chunks = [each + b"\n\n" for each in stream.split(b"\n\n") if each]
    best = min(_folded_seconds(wire, chunks) for _ in range(5))
    print(
        f"{wire.value:9} {what:12} {len(chunks):7} events  a chunk each {best * 1e6 / len(chunks):5.2f} µs, {len(stream) / best / 1e6:5.1f} MB/s"
    )


def _folded_seconds(wire: Wire, chunks: list[bytes]) -> float:
    start = time.process_time()
    fold = wires.begin(wire)
    for chunk in chunks:
        fold = wires.decode(fold, chunk).fold
    wires.finish(fold)
    return time.process_time() - start


def main(count: int) -> None:
    """Print a line a kind of delta, one a stream folded byte by byte, and lines of each wire format."""
    report("text", [event('{"content":" word"}') for _ in range(count)])
    report("text, not ASCII", [event('{"content":" wörd"}') for _ in range(count)])
    report("reasoning", [event('{"reasoning_content":" word"}') for _ in range(count)])
    call = '{"tool_calls":[{"index":0,"function":{"arguments":"abc"}}]}'
    report(
        "arguments",
        [event('{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":""}}]}'), *(event(call) for _ in range(count))],
    )
    for size in (count // 10, count):
        stream = "".join(f"data: {event('{}')}\n\n" for _ in range(size // 100)).encode()
        print(f"byte by byte, {len(stream):8} bytes: {seconds(bytes((byte,)) for byte in stream) * 1e6 / len(stream):5.2f} µs a byte")
    for path in sorted(RECORDINGS.glob("*.json"), key=lambda path: path.stat().st_size)[-1:]:
        text = json.loads(path.read_text())["response"]
        report(path.stem[:20], [line[6:] for line in text.split("\n") if line.startswith("data: {")])
    for wire in Wire:
        report_wire(wire, "text", stream_in(wire, "word " * count, piece_chars=5))
        report_wire(wire, "arguments", stream_in(wire, calls=(RawCall("save", f'{{"content":"{"word " * count}"}}'),), piece_chars=5))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)

"""A function that does what its event says, misbehaving included.

An event is `{"do": <act>, ..}`, or an HTTP API event whose body is that. The variable INIT holds a list of such acts for before
the first `next`; an act with "once": FILE is done only by whoever creates FILE. ON_SIGTERM is a file to note SIGTERM in, or
"ignore". What an act returns is the function's response; HANDLED says that it has answered by itself.
"""

import json
import os
import signal
import sys
import time

import api as lambda_api

RUNTIME = "/2018-06-01/runtime"
HANDLED = object()
API = lambda_api.Api()
kept = []
noted = []
served = 0


class Fail(Exception):
    """Ends an invocation by POST /error."""


def main():
    on_sigterm = os.environ.get("ON_SIGTERM")
    if on_sigterm == "ignore":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    elif on_sigterm:
        signal.signal(signal.SIGTERM, lambda *_: (lambda_api.note(on_sigterm, "SIGTERM"), os._exit(0)))
    for act in json.loads(os.environ.get("INIT", "[]")):
        do(act, None)
    while True:
        invocation = API.call("GET", RUNTIME + "/invocation/next")
        serve(invocation)


def serve(invocation):
    global served
    served += 1
    request_id = invocation.headers["lambda-runtime-aws-request-id"]
    path = f"{RUNTIME}/invocation/{request_id}"
    event = json.loads(invocation.body)
    if isinstance(event, dict) and "do" not in event:
        body = None if event.get("isBase64Encoded") else event.get("body")
        event = json.loads(body or '{"do": "event"}')
    try:
        result = do(event, invocation)
    except Fail as failure:
        error = {"errorType": failure.args[0], "errorMessage": failure.args[1]}
        headers = {"Lambda-Runtime-Function-Error-Type": failure.args[0]}
        API.call("POST", path + "/error", json.dumps(error).encode(), headers)
        return
    if result is not HANDLED:
        API.call("POST", path + "/response", json.dumps(result).encode())


def do(act, invocation):
    once = act.get("once")
    if once:
        try:
            os.close(os.open(once, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return None
    return ACTS[act["do"]](act, invocation)


def identifier(invocation):
    return invocation.headers["lambda-runtime-aws-request-id"] if invocation else ""


def calls(act, invocation):
    """Makes API calls; "answered" says that one of them is this invocation's answer, "file" notes theirs there."""
    told = API.calls(act["calls"], identifier(invocation))
    noted.extend(told)
    if "file" in act:
        lambda_api.note(act["file"], {"told": told})
    return HANDLED if act.get("answered") else told


def register_internal(act, _):
    """Registers an extension within this process, which asks for its next event for ever, as AWS's Rust runtime does."""
    [told] = API.calls(act["calls"])
    noted.append(told)
    identity = {"Lambda-Extension-Identifier": told["headers"]["lambda-extension-identifier"]}
    lambda_api.start(lambda_api.Api().call, "GET", "/2020-01-01/extension/event/next", b"", identity)


def respond_bytes(act, invocation):
    body = b'"' + b"x" * (act["bytes"] - 2) + b'"'
    path = f"{RUNTIME}/invocation/{identifier(invocation)}/response"
    noted.append(API.call("POST", path, body).told())
    return HANDLED


def drip(act, invocation):
    """Sends its response slowly, a few bytes at a time."""
    body = b'{"dripped":true}'
    head = f"POST {RUNTIME}/invocation/{identifier(invocation)}/response HTTP/1.1\r\nHost: lambda\r\n"

    def pieces():
        for byte in body:
            time.sleep(act["every_ms"] / 1000)
            yield bytes([byte])

    noted.append(lambda_api.raw(f"{head}Content-Length: {len(body)}\r\n\r\n", pieces()))
    return HANDLED


def truncate(act, invocation):
    """Begins a chunked response and closes the connection in the middle of a chunk."""
    head = f"POST {RUNTIME}/invocation/{identifier(invocation)}/response HTTP/1.1\r\nHost: lambda\r\n"
    lambda_api.raw(f"{head}Transfer-Encoding: chunked\r\n\r\n", [b'ff\r\n{"half":'], read=False)
    return HANDLED


def next_again(_, invocation):
    again = API.call("GET", RUNTIME + "/invocation/next")
    return {"first": identifier(invocation), "second": identifier(again)}


def exit_after_response(act, invocation):
    API.call("POST", f"{RUNTIME}/invocation/{identifier(invocation)}/response", b'"answered"')
    os._exit(act["code"])


def leave_child(act, _):
    """Leaves a child behind that counts in a file every few milliseconds; "session": in a session of its own."""
    child = os.fork()
    if child == 0:
        if act.get("session"):
            os.setsid()
        for other in range(3, 256):
            try:
                os.close(other)
            except OSError:
                pass
        lambda_api.count_in(act["file"], 0.005)
    lambda_api.wait_for_count(act["file"])
    return child


def background(act, _):
    """Starts a thread that counts as fast as it is let."""
    lambda_api.start(lambda_api.count_in, act["file"], act.get("pause_s", 0))
    lambda_api.wait_for_count(act["file"])
    return os.getpid()


def burn(act, _):
    """A fixed amount of work on one processor."""
    wall, cpu = time.monotonic(), time.process_time()
    for _ in range(act["rounds"]):
        sum(range(10_000))
    return {"wall_ms": (time.monotonic() - wall) * 1e3, "cpu_ms": (time.process_time() - cpu) * 1e3}


def allocate(act, _):
    kept.append(bytearray(b"\1") * (act["mb"] << 20))
    return len(kept)


def allocate_forever(_, __):
    while True:
        kept.append(bytearray(b"\1") * (8 << 20))


def say(act, _):
    os.write(1, act.get("text", "x" * act.get("bytes", 0)).encode())
    return None


def close_output(_, __):
    os.close(1)
    os.close(2)
    return "closed"


def fail(act, _):
    raise Fail(act["type"], act["message"])


def invoked(_, invocation):
    return {"headers": invocation.headers, "now_ms": time.time() * 1e3, "trace": os.environ.get("_X_AMZN_TRACE_ID")}


def init_error(act, _):
    body = json.dumps({"errorType": act["type"], "errorMessage": act["message"]}).encode()
    headers = {"Lambda-Runtime-Function-Error-Type": act["type"]}
    answer = API.call("POST", RUNTIME + "/init/error", body, headers)
    if answer.status != 202:
        print("init/error was answered", answer.told(), flush=True)
    sys.exit(1)


ACTS = {
    "allocate": allocate,
    "allocate_forever": allocate_forever,
    "background": background,
    "burn": burn,
    "calls": calls,
    "close_output": close_output,
    "drip": drip,
    "environment": lambda *_: dict(os.environ),
    "event": lambda _, invocation: json.loads(invocation.body),
    "exit": lambda act, _: os._exit(act["code"]),
    "exit_after_response": exit_after_response,
    "fail": fail,
    "init_error": init_error,
    "invoked": invoked,
    "leave_child": leave_child,
    "next_again": next_again,
    "note": lambda act, _: lambda_api.note(act["file"], {"pid": os.getpid(), "env": dict(os.environ)}),
    "noted": lambda *_: noted,
    "pid": lambda *_: os.getpid(),
    "register_internal": register_internal,
    "respond_bytes": respond_bytes,
    "say": say,
    "served": lambda *_: {"pid": os.getpid(), "served": served},
    "signal": lambda act, _: (os.kill(os.getpid(), act["number"]), time.sleep(60)),
    "sleep": lambda act, _: time.sleep(act["ms"] / 1000),
    "truncate": truncate,
}

if __name__ == "__main__":
    main()

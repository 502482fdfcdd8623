"""An extension that does what the variable EXTENSIONS says for its name, misbehaving included.

`EXTENSIONS` is `{<name>: {..}}`; every key may be left out:
  events       what it registers for; default ["INVOKE", "SHUTDOWN"]
  count        file in which a thread counts every few milliseconds
  notes        file in which it notes, as JSON lines, what it is told, SIGTERM included
  before       API calls before it registers (see api.Api.calls); after: with its identifier, once it has; late: at its first
               event; their answers are noted
  init         "exit" or "hang" instead of registering, "crash" or "error" after it, "slow" sleeps 300 ms before its first next
  on_invoke    "exit", "hang", or milliseconds to sleep
  on_shutdown  "ignore": goes on asking, does not exit
  telemetry    the body of a subscription, without its destination: it listens itself and notes each batch
"""

import http.server
import json
import os
import signal
import sys
import time

import api as lambda_api

EXTENSION = "/2020-01-01/extension"
NAME = sys.argv[1]
CONFIG = json.loads(os.environ.get("EXTENSIONS", "{}")).get(NAME, {})
API = lambda_api.Api()


def note(value):
    if "notes" in CONFIG:
        lambda_api.note(CONFIG["notes"], {"extension": NAME, **value})


def calls(key, headers):
    for method, path, own, body in CONFIG.get(key, []):
        answer = API.calls([[method, path, {**headers, **own}, body]])[0]
        note({"called": path, **answer})


def hang():
    while True:
        time.sleep(60)


def terminated(*_):
    note({"signal": "SIGTERM"})
    os._exit(0)


def main():
    signal.signal(signal.SIGTERM, terminated)
    init = CONFIG.get("init")
    if init == "exit":
        sys.exit(5)
    if init == "hang":
        hang()
    note({"environment": dict(os.environ), "pid": os.getpid()})
    if "count" in CONFIG:
        lambda_api.start(lambda_api.count_in, CONFIG["count"], 0.005)
        lambda_api.wait_for_count(CONFIG["count"])
    calls("before", {})
    events = json.dumps({"events": CONFIG.get("events", ["INVOKE", "SHUTDOWN"])}).encode()
    registered = API.call("POST", EXTENSION + "/register", events, {"Lambda-Extension-Name": NAME})
    note({"registered": registered.told()})
    identity = {"Lambda-Extension-Identifier": registered.headers.get("lambda-extension-identifier", "")}
    if "telemetry" in CONFIG:
        subscribe(identity)
    calls("after", identity)
    if init == "crash":
        sys.exit(6)
    if init == "error":
        own = {"Lambda-Extension-Function-Error-Type": "Extension.Judge"}
        note({"told": API.call("POST", EXTENSION + "/init/error", b"{}", {**identity, **own}).told()})
        sys.exit(1)
    if init == "slow":
        time.sleep(0.3)
    while True:
        serve(API.call("GET", EXTENSION + "/event/next", b"", identity), identity)


def serve(answer, identity):
    event = json.loads(answer.body)
    note({"event": event, "headers": answer.headers, "at_ms": time.time() * 1e3})
    if answer.status != 200:
        hang()
    if event["eventType"] == "SHUTDOWN":
        if CONFIG.get("on_shutdown") == "ignore":
            return
        if "telemetry" in CONFIG:
            # As the extensions that ship telemetry do: what was queued while the sandbox was frozen arrives now.
            time.sleep(0.5)
        sys.exit(0)
    calls("late", identity)
    CONFIG.pop("late", None)
    doing = CONFIG.get("on_invoke")
    if doing == "exit":
        sys.exit(7)
    if doing == "hang":
        hang()
    if doing:
        time.sleep(doing / 1000)
        note({"slept": event["requestId"]})


def subscribe(identity):
    class Listener(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            batch = json.loads(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()
            note({"batch": batch})

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    lambda_api.start(server.serve_forever)
    uri = f"http://sandbox.localdomain:{server.server_port}/telemetry"
    body = {**CONFIG["telemetry"], "destination": {"protocol": "HTTP", "URI": uri}}
    answer = API.call("PUT", "/2022-07-01/telemetry", json.dumps(body).encode(), identity)
    note({"subscribed": answer.told()})


if __name__ == "__main__":
    main()

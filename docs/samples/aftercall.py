"""What every voice engine in Python needs, as docs/voice-engine.md says it. Python 3.11, nothing else."""
import base64, hashlib, hmac, http.server, json, os, pathlib, threading, time, urllib.request
from datetime import datetime, timezone

SECRET = os.environ.get("AFTERCALL_SECRET", "")  # the agent's: whsec_…
CALLS = pathlib.Path(os.environ.get("AFTERCALL_CALLS", "calls"))  # a file for each call, so that a restart forgets none

def sign(secret, message_id, body, at=None):
    stamp = str(int(at or time.time()))
    mac = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), f"{message_id}.{stamp}.".encode() + body, hashlib.sha256)
    return {"webhook-id": message_id, "webhook-timestamp": stamp, "webhook-signature": "v1," + base64.b64encode(mac.digest()).decode()}

def verify(secret, headers, body):
    stamp, given = headers.get("webhook-timestamp", ""), headers.get("webhook-signature", "").split()
    if not stamp.isdecimal() or abs(time.time() - int(stamp)) > 300:
        return False
    wanted = sign(secret, headers.get("webhook-id", ""), body, int(stamp))["webhook-signature"]
    return any(hmac.compare_digest(wanted.encode(), one.encode()) for one in given)

def report(call, kind, **fields):
    """Stores what happened to a call, and tells of it until that is taken."""
    event = {"id": f"{call['call_id']}-{kind}", "type": kind, "call_id": call["call_id"], "at": datetime.now(timezone.utc).isoformat()} | fields
    body = json.dumps(event).encode()
    (CALLS / call["call_id"]).write_bytes(body)
    for wait in (0, 1, 5, 30, 120, 600):
        time.sleep(wait)
        try:
            return urllib.request.urlopen(urllib.request.Request(call["callback_url"], body, sign(SECRET, event["id"], body)), timeout=15).status
        except OSError as e:  # nobody is there, or refuses
            if getattr(e, "code", 500) < 500:
                raise

class Handler(http.server.BaseHTTPRequestHandler):
    def do(self):
        post, body = self.command == "POST", self.rfile.read(int(self.headers.get("content-length", 0)))
        call = json.loads(body) if post else {"call_id": self.path}
        known = CALLS / os.path.basename(call["call_id"])
        asked = ("" if post else self.command.lower() + "_") + known.name
        if not verify(SECRET, self.headers, body) or self.headers["webhook-id"] != asked:
            status, answer = 401, {"error": "signature"}
        elif known.exists():
            if self.command == "DELETE":
                self.server.hang_up(known.name)
            status, answer = (409, {"ref": known.name}) if post else (200, json.loads(known.read_bytes()))
        elif post and datetime.now(timezone.utc) < datetime.fromisoformat(call["not_after"]):
            known.write_text(json.dumps({"type": "queued", "call_id": known.name}))  # before anything else
            threading.Thread(target=self.server.place, args=(call,)).start()
            status, answer = 202, {"ref": known.name}
        else:
            status, answer = (503, {"error": "too_late"}) if post else (404, {"error": "unknown_call"})
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())
    do_POST = do_GET = do_DELETE = do

def serve(place, hang_up, port=8090):
    CALLS.mkdir(exist_ok=True)
    server = http.server.HTTPServer(("", port), Handler)  # one request at a time, so that no call is placed twice
    server.place, server.hang_up = place, hang_up
    server.serve_forever()

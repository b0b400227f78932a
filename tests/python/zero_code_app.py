"""A program that knows nothing of OpenTelemetry: a Flask service that is asked over requests, and says so in its log."""

import logging
import threading

import flask
import requests
from werkzeug.serving import make_server

logging.basicConfig(level=logging.INFO)
log = logging.getLogger("shop")
app = flask.Flask("shop")


@app.get("/price/<item>")
def price(item: str) -> dict[str, object]:
    log.info("price of %s", item)
    return {"item": item, "price": 3}


@app.get("/broken")
def broken() -> str:
    raise RuntimeError("the shelf fell down")


server = make_server("127.0.0.1", 0, app)
thread = threading.Thread(target=server.serve_forever)
thread.start()
base = f"http://127.0.0.1:{server.server_port}"
assert requests.get(f"{base}/price/apple", timeout=10).json() == {"item": "apple", "price": 3}
assert requests.get(f"{base}/broken", timeout=10).status_code == 500
log.warning("closing")
server.shutdown()
thread.join()

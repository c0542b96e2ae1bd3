"""A loopback SciCat server that checks what it is sent as the backend's DTOs do, and fails when it is told to."""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Check = Callable[[Any], bool]
TOKEN = "very-secret-token"


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _mapping(value: Any) -> bool:
    return isinstance(value, dict)


def _email(value: Any) -> bool:
    return _text(value) and all(re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", one) for one in value.split(";"))


def _date(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


def _files(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(not problems(one, DATA_FILE) for one in value)


def _relationships(value: Any) -> bool:
    return isinstance(value, list) and all(not problems(one, RELATIONSHIP) for one in value)


# name: (check, required)
OWNABLE = {"ownerGroup": (_text, True), "accessGroups": (_texts, False), "instrumentGroup": (_text, False)}
DATASET: dict[str, tuple[Check, bool]] = {
    **OWNABLE,
    "pid": (_text, False),
    "type": (lambda value: value in ("raw", "derived"), True),
    "owner": (_text, False),
    "ownerEmail": (_email, False),
    "orcidOfOwner": (_text, False),
    "contactEmail": (_email, True),
    "sourceFolder": (_text, True),
    "sourceFolderHost": (_text, False),
    "creationTime": (_date, True),
    "validationStatus": (_text, False),
    "keywords": (_texts, False),
    "description": (_text, False),
    "datasetName": (_text, True),
    "classification": (_text, False),
    "license": (_text, False),
    "isPublished": (_flag, False),
    "techniques": (lambda value: isinstance(value, list), False),
    "sharedWith": (_texts, False),
    "relationships": (lambda value: isinstance(value, list), False),
    "scientificMetadata": (_mapping, False),
    "scientificMetadataSchema": (_text, False),
    "comment": (_text, False),
    "dataQualityMetrics": (_integer, False),
    "principalInvestigators": (_texts, False),
    "startTime": (_date, False),
    "endTime": (_date, False),
    "creationLocation": (_text, False),
    "dataFormat": (_text, False),
    "proposalIds": (_texts, False),
    "sampleIds": (_texts, False),
    "instrumentIds": (_texts, False),
    "inputDatasets": (_texts, False),
    "usedSoftware": (_texts, False),
    "jobParameters": (_mapping, False),
    "jobLogData": (_text, False),
    "runNumber": (_text, False),
}
DATA_FILE: dict[str, tuple[Check, bool]] = {
    "path": (_text, True),
    "size": (_integer, True),
    "time": (_date, True),
    "chk": (_text, False),
    "uid": (_text, False),
    "gid": (_text, False),
    "perm": (_text, False),
}
ORIG_DATABLOCK: dict[str, tuple[Check, bool]] = {
    "datasetId": (_text, True),
    "size": (_integer, True),
    "chkAlg": (_text, False),
    "dataFileList": (_files, True),
}
RELATIONSHIP: dict[str, tuple[Check, bool]] = {
    "targetId": (_text, True),
    "targetType": (lambda value: value in ("dataset", "proposal", "sample"), True),
    "relationType": (_text, False),
}
ATTACHMENT: dict[str, tuple[Check, bool]] = {
    **OWNABLE,
    "aid": (_text, False),
    "caption": (_text, True),
    "thumbnail": (_text, False),
    "relationships": (_relationships, False),
    "isPublished": (_flag, False),
}


def problems(value: Any, rules: dict[str, tuple[Check, bool]]) -> list[str]:
    """What is wrong with an object, as the backend's validation says it; unknown keys are refused."""
    if not isinstance(value, dict):
        return ["must be an object"]
    found = [f"property {key} should not exist" for key in value if key not in rules]
    found += [f"{key} should not be empty" for key, (_, required) in rules.items() if required and key not in value]
    return found + [f"{key} has a wrong value" for key in value if key in rules and not rules[key][0](value[key])]


def dataset_problems(value: Any) -> list[str]:
    """What is wrong with a dataset; one of raw data must say where and under whom it was measured."""
    found = problems(value, DATASET)
    if isinstance(value, dict) and value.get("type") == "raw":
        found += [f"{key} is required" for key in ("creationLocation", "principalInvestigators") if not value.get(key)]
    return found


@dataclass
class Backend:
    """What the server holds, and what it is to do wrong.

    Attributes
    ----------
    fails : function
        From the number of a request that makes something (0, 1, ...) to None, or to the status of its failure and
        whether it is carried out all the same.
    """

    url: str = ""
    datasets: dict[str, dict[str, Any]] = field(default_factory=dict)
    blocks: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    fails: Callable[[int], tuple[int, bool] | None] = lambda _: None
    posts: int = 0

    def post(self, kind: str, body: Any) -> tuple[int, Any]:
        """Make a dataset, datablock or attachment."""
        wrong = {
            "datasets": dataset_problems,
            "origdatablocks": lambda value: problems(value, ORIG_DATABLOCK),
            "attachments": lambda value: problems(value, ATTACHMENT),
        }[kind](body)
        if wrong:
            return 400, {"statusCode": 400, "message": wrong}
        if kind == "datasets":
            body = {**body, "pid": f"20.500.99999/{uuid.uuid4()}"}
            self.datasets[body["pid"]] = body
        elif kind == "origdatablocks":
            self.blocks.append(body)
        else:
            self.attachments.append(body)
        return 201, body

    def get(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        """Find datasets, or return one with its parts."""
        if path.endswith("/datasets/fullquery"):
            keywords = set(json.loads(query["fields"][0])["keywords"])
            return 200, [one for one in self.datasets.values() if keywords & set(one.get("keywords", ()))]
        pid = unquote(path.rsplit("/", 1)[1])
        if pid not in self.datasets:
            return 404, {"message": "not found"}
        parts: dict[str, Any] = {}
        if "origdatablocks" in query.get("include", []):
            parts["origdatablocks"] = [one for one in self.blocks if one["datasetId"] == pid]
        if "attachments" in query.get("include", []):
            parts["attachments"] = [one for one in self.attachments if one["relationships"][0]["targetId"] == pid]
        return 200, {**self.datasets[pid], **parts}


@contextmanager
def serving() -> Iterator[Backend]:
    """Run a backend on a free port of this machine."""
    backend = Backend()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self._answer(lambda: backend.get(parts.path, parse_qs(parts.query)))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            kind = urlsplit(self.path).path.rsplit("/", 1)[1]
            failure = backend.fails(backend.posts)
            backend.posts += 1
            answer = backend.post(kind, body) if failure is None or failure[1] else None
            self._answer(lambda: answer if failure is None else (failure[0], {"message": "out of order"}))

        def _answer(self, action: Callable[[], tuple[int, Any]]) -> None:
            allowed = self.headers.get("Authorization") == f"Bearer {TOKEN}"
            status, content = action() if allowed else (401, {"message": "Unauthorized"})
            text = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *arguments: Any) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        backend.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield backend
        finally:
            server.shutdown()
            thread.join()

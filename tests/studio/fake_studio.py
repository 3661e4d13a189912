"""The studio's HTTP interface over invented images, as many as a test wants.

The page is tested against this where the number of images matters, or what the server says. Every
request is recorded.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from math import cos, sin
from typing import Any

from PIL import Image, ImageDraw

LABELS = ("tabby cat", "golden retriever", "lighthouse", "steam train")
HOSTS = ("photos.example", "cats.example", "trains.example")
LICENCES = ("CC BY 4.0", "CC0 1.0", "unknown")
REASONS = ("near_duplicate", "too_small", "not_found")
POISON = (
    "<img src=x onerror=\"document.title='poisoned'\"><script>document.title='poisoned'</script>"
)
GROUPS = 45
SOURCES = [
    {
        "name": "openverse", "title": "Openverse", "sentence": "pictures with open licences",
        "ready": True, "missing": [], "needs": "", "may": "open licences", "costs": "1 s a request",
    },
    {
        "name": "flickr", "title": "Flickr", "sentence": "photographs", "ready": False,
        "missing": ["flickr.api_key"], "needs": "a key", "may": "as stated", "costs": "",
    },
]  # fmt: skip
ESTIMATE = {
    "time_s": [60, 150], "bytes": [4_000_000, 9_000_000], "from": "probe",
    "requests_by_host": {"api.openverse.org": 4}, "yield_by_source": {"openverse": 0.8},
}  # fmt: skip


@lru_cache(maxsize=512)
def picture(number: int, px: int) -> bytes:
    """A drawing whose shape and colour depend on the number."""
    width, height = ((px, px), (px, px * 2 // 3), (px * 2 // 3, px), (px, px // 2))[number % 4]
    colour = (60 + number * 37 % 180, 60 + number * 71 % 180, 60 + number * 113 % 180)
    image = Image.new("RGB", (width, height), colour)
    draw = ImageDraw.Draw(image)
    light = tuple(min(255, c + 60) for c in colour)
    draw.ellipse((width * 0.2, height * 0.15, width * 0.8, height * 0.85), fill=light)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@dataclass
class FakeStudio:
    """What the server knows; `requests` are method and path with query, in order."""

    total: int
    url: str = ""
    requests: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    decided: dict[str, dict[str, Any]] = field(default_factory=dict)
    done: list[list[tuple[str, dict[str, Any] | None]]] = field(default_factory=list)
    undone: list[list[tuple[str, dict[str, Any] | None]]] = field(default_factory=list)
    views: dict[str, dict[str, Any]] = field(default_factory=dict)
    added: int = 0
    run: dict[str, Any] | None = None
    jobs: list[dict[str, Any]] = field(default_factory=list)
    progress: dict[str, Any] | None = None
    captions: dict[str, dict[str, str]] = field(default_factory=dict)
    parts: list[float] = field(default_factory=list)  # what of the next views is done
    checked: list[float] = field(default_factory=list)  # how far the class check is, by question
    waiting: int = 0
    missing: int = 0  # images of each query
    changed: threading.Condition = field(default_factory=threading.Condition)
    revision: int = 1

    def count(self, part: str) -> int:
        return sum(part in one for one in self.requests)

    def images(self) -> int:
        return self.total + self.added

    def grow(self) -> None:
        with self.changed:
            self.revision += 1
            self.changed.notify_all()

    # ---- answers

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> Any:
        if method == "GET" and path in (fixed := self.fixed()):
            return fixed[path]
        if path == "/api/estimate":
            return ESTIMATE
        if method == "POST" and path.startswith("/api/jobs"):
            return {"job": "j1", "set": "one", "state": "running"}
        rest = path.removeprefix("/api/sets/one").strip("/").split("/")
        name = "find" if rest[-1] == "find" else rest[0]
        span = {key: int(query[key]) for key in ("start", "count") if key in query}
        answers: dict[tuple[str, str], Callable[[], Any]] = {
            ("GET", ""): self.summary,
            ("POST", "views"): lambda: self.view(body),
            ("GET", "find"): lambda: {"index": self.find(rest[1], int(query["number"]))},
            ("GET", "views"): lambda: self.page(rest[1], **span),
            ("GET", "groups"): lambda: self.groups(**span),
            ("GET", "images"): lambda: self.detail(rest[1]),
            ("GET", "charts"): self.charts,
            ("GET", "check"): self.check,
            ("POST", "check"): lambda: {"state": "stopped", "done": 0.25},
            ("GET", "map"): self.map,
            ("POST", "decisions"): lambda: self.decide(body),
            ("POST", "undo"): lambda: self.take_back("undo"),
            ("POST", "redo"): lambda: self.take_back("redo"),
        }
        found = answers.get((method, name))
        return found() if found else None

    def fixed(self) -> dict[str, Any]:
        one = {"id": "one", "path": "/data/pets", "name": "pets", "images": self.images(),
               "open_jobs": 0}  # fmt: skip
        return {
            "/api/state": {"version": "0", "sets": [one], "default": "one", "keys_version": 1},
            "/api/sources": {"sources": SOURCES},
            "/api/jobs": {"jobs": self.jobs},
            "/api/sets/one/progress": {"queries": []},
        }

    def groups(self, start: int, count: int) -> list[dict[str, Any]]:
        return [self.group(n) for n in range(start, min(GROUPS, start + count))]

    def summary(self) -> dict[str, Any]:
        share = self.images() // len(LABELS)
        return {
            "id": "one", "path": "/data/pets", "name": "pets", "kept": self.images(), "refused": 900,
            "labels": [{"name": name, "kept": share, "wanted": share} for name in LABELS],
            "queries": [{"id": i, "text": name, "label": name, "wanted": share, "saved": share - self.missing} for i, name in enumerate(LABELS)],
            "sources": [{"name": "openverse", "n": self.images()}],
            "hosts": [{"name": name, "n": share} for name in HOSTS],
            "licences": [{"name": name, "n": share} for name in LICENCES],
            "reasons": [{"name": name, "n": 300, "restorable": True, "sentence": ""} for name in REASONS],
            "refusals": [{"name": "poor quality", "n": 4}, {"name": "", "n": 1}],
            "measures": ["sharpness"], "can_undo": bool(self.done), "can_redo": bool(self.undone),
            "quarantine_bytes": 3_200_000, "run": self.run, "waiting": self.waiting, "revision": self.revision,
        }  # fmt: skip

    def view(self, body: dict[str, Any]) -> dict[str, Any]:
        kind, wanted = body["kind"], body["filter"]
        of = {
            "images": self.images(), "not_kept": 900, "groups": GROUPS, "conflicts": 2, "doubts": 7,
        }[kind]  # fmt: skip
        step, total = 1, of
        if labels := wanted.get("labels"):
            step, total = len(LABELS), of // len(LABELS) if labels[0] in LABELS else 0
        if wanted.get("text") == "nothing":
            total = 0
        key = f"v{len(self.views)}"
        first = LABELS.index(labels[0]) if labels and total else 0
        self.views[key] = {
            "kind": kind,
            "step": step,
            "first": first,
            "total": total,
            "newest": body.get("sort", {}).get("by") == "newest",
        }
        return {"view": key, "total": total, "of": of, "revision": self.revision,
                **({"done": self.parts.pop(0)} if self.parts else {}),
                **({"by": "look"} if body.get("similar_to") else {})}  # fmt: skip

    def number(self, view: dict[str, Any], index: int) -> int:
        if view["newest"]:
            return int(view["total"]) - index
        return int(view["first"] + index * view["step"]) + 1

    def find(self, key: str, number: int) -> int | None:
        view = self.views[key]
        index, rest = divmod(number - 1 - view["first"], view["step"])
        if view["newest"]:
            index = view["total"] - number
        return index if rest == 0 and 0 <= index < view["total"] else None

    def item(self, kind: str, number: int) -> dict[str, Any]:
        known = {
            "id": f"{'c' if kind == 'not_kept' else 's'}{number}", "n": number,
            "label": LABELS[(number - 1) % len(LABELS)], "name": f"{number:06}.jpg", "w": 640, "h": 480,
            "decision": None, "title": POISON if number == 2 else f"Title {number}",
            "src_host": HOSTS[number % 3], "licence": LICENCES[number % 3], "v": "1",
        }  # fmt: skip
        if kind == "doubts":
            known |= {"like": "lighthouse" if number % 2 else "", "score": 0.7}
        if kind == "not_kept":
            known |= {"reason": REASONS[number % 3], "restorable": number != 1}
        return known | self.decided.get(str(known["id"]), {})

    def page(self, key: str, start: int, count: int) -> dict[str, Any]:
        view = self.views[key]
        end = min(view["total"], start + count)
        items = [self.item(view["kind"], self.number(view, index)) for index in range(start, end)]
        return {"start": start, "items": items}

    def group(self, n: int) -> dict[str, Any]:
        others = [self.item("not_kept", n * 3 + k + 1) for k in range(1 + n % 3)]
        distance = [3 * k for k in range(len(others))]
        return {"kept": self.item("images", n + 1), "others": others, "distance": distance}

    def detail(self, image: str) -> dict[str, Any]:
        return {
            "id": image, "provenance": [{"source": "openverse", "page": "https://photos.example/1", "title": POISON}, {"url": "javascript:alert(1)"}],
            "licence": {"name": "CC BY 4.0", "evidence": "stated by the source"},
            "hashes": {"sha256": "ab" * 32, "phash": "f0e1d2c3b4a59687"},
            "copies": [{"id": "c7", "reason": "near_duplicate", "distance": 3, "url": "https://cats.example/7.jpg"}],
            "history": [{"when": "2026-11-29 10:12", "who": "web", "action": "keep"}], "file_name": "000001.jpg",
            "caption": self.caption(image),
        }  # fmt: skip

    def check(self) -> dict[str, Any]:
        if self.checked:
            return {"state": "working", "done": self.checked.pop(0)}
        items = [self.item("images", number) for number in range(1, 5)]
        return {
            "state": "ready", "done": 1,
            "by": "look", "model": "", "images": self.images(), "revision": self.revision,
            "doubts": {"total": 7, "first": [{"item": items[0], "like": "lighthouse", "score": 0.8}]},
            "overlaps": [{"labels": LABELS[:2], "share": 0.3, "items": items}],
            "biases": [{"label": LABELS[0], "kind": "host", "what": HOSTS[0], "share": 0.8, "items": items}],
            "small": [{"label": LABELS[3], "images": 2, "median": 90}],
        }  # fmt: skip

    def map(self) -> dict[str, Any]:
        """Every image in a ring of its label."""
        numbers = range(1, min(self.images(), 100_000) + 1)
        turns = [n * 0.37 for n in numbers]
        places = [
            (
                int(20_000 + 25_000 * (n % 2) + 8_000 * cos(turn)),
                int(20_000 + 25_000 * (n // 2 % 2) + 8_000 * sin(turn)),
            )
            for n, turn in zip(numbers, turns, strict=True)
        ]
        return {
            "state": "ready", "done": 1, "model": "clip@0", "command": "", "total": self.images(),
            "shown": len(numbers), "ids": list(numbers), "n": list(numbers),
            "x": [x for x, _ in places], "y": [y for _, y in places],
            "label": [(n - 1) % len(LABELS) for n in numbers], "labels": LABELS,
            "revision": self.revision,
        }  # fmt: skip

    def caption(self, image: str) -> dict[str, str]:
        return self.captions.get(image, {"text": "A cat on a wall", "origin": "alt_text"})

    def write_captions(self, body: dict[str, Any]) -> Any:
        """As the server does it: of several, those written by hand are left alone."""
        ids, left, changed = self.ids(body["on"]), 0, {}
        for one in ids:
            before = self.caption(one)
            text = body.get("text", "")
            if "find" in body:
                text = before["text"].replace(body["find"], text)
            if text == before["text"]:
                continue
            if before["origin"] == "hand" and len(ids) > 1 and not body.get("by_hand"):
                left += 1
            else:
                changed[one] = {"text": text, "origin": "hand"}
        if len(changed) != body["expect"]:
            return 409, {"error": "", "would_change": len(changed), "left_by_hand": left}
        self.captions.update(changed)
        self.grow()
        summary = f"{len(changed)} captioned"
        return {
            "batch": "b", "changed": len(changed), "summary": summary, "revision": self.revision,
        }  # fmt: skip

    def charts(self) -> dict[str, Any]:
        return {
            "sizes": [
                {"lo": lo, "hi": lo + 256, "n": 90 * (8 - lo // 256), "filter": {"ranges": {"width": [lo, lo + 256]}}}
                for lo in range(256, 2048, 256)
            ],
            "licences": [
                {"name": name, "n": 700, "filter": {"licences": [name]}} for name in LICENCES
            ],
            "reasons": [
                {"name": name, "n": 300, "filter": {"reasons": [name]}} for name in REASONS
            ],
            "balance": [
                {"name": name, "n": 900 + 400 * k, "filter": {"labels": [name]}}
                for k, name in enumerate(LABELS)
            ],
        }  # fmt: skip

    # ---- decisions

    def ids(self, on: dict[str, Any]) -> list[str]:
        if on.get("ids"):
            return list(on["ids"])
        view = self.views[on["view"]]
        start, count = (0, view["total"]) if on.get("all") else (on["start"], on["count"])
        prefix = "c" if view["kind"] == "not_kept" else "s"
        return [f"{prefix}{self.number(view, i)}" for i in range(start, start + count)]

    def decide(self, body: dict[str, Any]) -> Any:
        if body["action"] == "swap":
            self.grow()
            return {"batch": "b", "changed": 1, "summary": "swapped", "revision": self.revision}
        if body["action"] == "caption":
            return self.write_captions(body)
        decision = {"keep": "keep", "reject": "reject"}.get(body["action"])
        new: dict[str, Any] = {"decision": decision}
        if decision == "reject":  # in the words of the person
            new |= {"reason": "refused_by_person", "detail": body.get("reason") or ""}
        elif decision is None:
            new = {"label": body.get("label", "")}
        changing = [i for i in self.ids(body["on"]) if self.decided.get(i) != new]
        if len(changing) != body["expect"]:
            return 409, {
                "error": f"this would change {len(changing)} images",
                "would_change": len(changing),
            }
        self.done.append([(i, self.decided.get(i)) for i in changing])
        self.undone.clear()
        self.decided.update(dict.fromkeys(changing, new))
        self.grow()
        return {
            "batch": "b", "changed": len(changing), "revision": self.revision,
            "summary": f"{body['action']}: {len(changing)} images",
        }  # fmt: skip

    def take_back(self, which: str) -> dict[str, Any]:
        stack, other = (self.done, self.undone) if which == "undo" else (self.undone, self.done)
        changed = stack.pop() if stack else []
        other.append([(i, self.decided.get(i)) for i, _ in changed])
        for image, before in changed:
            if before is None:
                self.decided.pop(image, None)
            else:
                self.decided[image] = before
        self.grow()
        return {
            "changed": len(changed), "summary": f"{which}: {len(changed)} images",
            "revision": self.revision,
        }  # fmt: skip

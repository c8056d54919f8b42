"""The hand-off agent: the dispatch document, written once.

Handing a parcel to a carrier is what must not happen twice, however often the attempt is repeated. The document's name
is made from the task's idempotency key, which all attempts share, and a name can be given only once: a link that
exists already is the work of an earlier attempt, and its document is the answer.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Any

from . import addresses


def document(
    shipment: dict[str, Any], address: dict[str, str], parcels: list[dict[str, Any]], key: str
) -> dict[str, Any]:
    """What the carrier gets. The same input and key make the same document."""
    number = "D" + hashlib.sha256(key.encode()).hexdigest()[:12].upper()
    return {
        "number": number,
        "shipment": shipment["shipment"],
        "service": shipment["service"],
        "to": addresses.lines(address),
        "weight_g": shipment["weight_g"],
        "hazards": shipment["hazards"],
        "parcels": [{"label": f"{number}-{place}", **parcel} for place, parcel in enumerate(parcels, 1)],
        "cents": sum(parcel["route"]["cents"] for parcel in parcels),
        "minutes": max((parcel["route"]["minutes"] for parcel in parcels), default=0),
    }


def hand_off(folder: Path, content: dict[str, Any]) -> tuple[Path, bool]:
    """Puts the document into the folder; its path, and whether this call did it. Durable when it returns."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{content['number']}.json"
    if path.exists():
        return path, False
    draft = folder / f".{content['number']}.{secrets.token_hex(8)}"
    with open(draft, "x", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
        made = True
    except FileExistsError:
        made = False
    finally:
        draft.unlink()
    return path, made

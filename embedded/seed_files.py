"""Small files for the demo's records."""

from __future__ import annotations

import struct
import zlib

LAB_REPORT = b"""LABORATORY REPORT (fictional)

Test                     Result      Reference
TSH                      2.1 mIU/L   0.4 - 4.0
Potassium                4.1 mmol/L  3.5 - 5.1
Magnesium                1.9 mg/dL   1.7 - 2.2
Hemoglobin               13.8 g/dL   12.0 - 16.0
"""


def skin_photo(side: int = 96) -> bytes:
    """A square PNG of a round reddish patch, `side` pixels wide."""
    rows = bytearray()
    for y in range(side):
        rows.append(0)  # no filter
        for x in range(side):
            inside = (x - side / 2) ** 2 + (y - side / 2) ** 2 < (side / 4) ** 2
            rows += bytes((196, 92, 84) if inside else (232, 190, 172))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

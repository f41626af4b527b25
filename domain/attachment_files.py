"""Which files a record takes, and whether the bytes are what they are said to be."""

from __future__ import annotations

from domain.errors import Invalid

MAX_BYTES = 5_000_000

EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "application/pdf": "pdf",
    "text/plain": "txt",
    "application/dicom": "dcm",
}
"""The media types that are taken, with their file name extensions."""

_SIGNATURES = {
    "image/png": (0, b"\x89PNG\r\n\x1a\n"),
    "image/jpeg": (0, b"\xff\xd8\xff"),
    "application/pdf": (0, b"%PDF-"),
    "application/dicom": (128, b"DICM"),
}


def checked_media_type(declared: str | None, content: bytes) -> str:
    """The media type without its parameters, once the file fits it.

    Raises `Invalid`: `attachment.media_type_refused`, `attachment.empty`, `attachment.too_large`,
    `attachment.content_mismatch`.
    """
    media_type = (declared or "").partition(";")[0].strip().lower()
    if media_type not in EXTENSIONS:
        raise Invalid("attachment.media_type_refused", f"a file is one of {', '.join(EXTENSIONS)}")
    if not content:
        raise Invalid("attachment.empty", "the file is empty")
    if len(content) > MAX_BYTES:
        raise Invalid("attachment.too_large", f"a file has at most {MAX_BYTES} bytes")
    if not _fits(media_type, content):
        raise Invalid("attachment.content_mismatch", "the file is not of the media type that it came with")
    return media_type


def _fits(media_type: str, content: bytes) -> bool:
    if media_type in _SIGNATURES:
        offset, signature = _SIGNATURES[media_type]
        return content.startswith(signature, offset)
    try:
        return "\0" not in content.decode("utf-8")
    except UnicodeDecodeError:
        return False

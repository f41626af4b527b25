"""Words that stand for a patient's data, and finding them however they are written."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping

MARKS: Mapping[str, tuple[str, ...]] = {
    "given name": ("qwzgiven",),
    "family name": ("qwzfamily",),
    "e-mail": ("qwzmail",),
    "phone": ("2025550991", "202-555-0991", "(202) 555-0991"),
    "birth date": ("1957-08-23", "19570823", "08/23/1957", "8/23/1957"),
    "question": ("qwzquestion",),
    "history": ("qwzhistory",),
    "note": ("qwznote",),
    "attachment title": ("qwztitle",),
    "attachment content": ("qwzcontent",),
    "file name": ("qwzfile",),
    "information request": ("qwzwanted",),
    "information": ("qwzinformed",),
    "impression": ("qwzimpression",),
    "recommendation": ("qwzadvice",),
    "reply": ("qwzreply",),
    "follow-up question": ("qwzfurther",),
    "answer": ("qwzanswer",),
    "message": ("qwzmessage",),
    "reply to a message": ("qwzreplied",),
    "refund reason": ("qwzrefund",),
    "licence number": ("qwzlicence",),
    "credential event": ("qwzboard",),
    "conduct report": ("qwzconduct",),
    "refused text": ("qwzrefused",),
    "malformed input": ("qwzmalformed",),
    "exception text": ("qwzexception",),
}
"""What is marked, and how it may be written."""

NEVER_STORED = frozenset({"file name", "refused text", "malformed input", "exception text"})


ROLLOUT_MARKS: Mapping[str, tuple[str, ...]] = {
    "programme name": ("qwzgroup",),
    "location name": ("qwzplace",),
    "person's name": ("qwzperson",),
    "person's e-mail": ("qwzaddress",),
    "person's phone": ("2025550973", "202-555-0973", "(202) 555-0973"),
    "waiver in the file": ("qwzwaived",),
    "score's reason": ("qwzscore",),
    "task": ("qwzproof",),
    "hosting": ("qwzrationale",),
    "compliance": ("qwzcompliant",),
    "approval": ("qwzobjection",),
    "hold": ("qwzhold",),
    "waiver": ("qwzexempt",),
    "measurement": ("qwzmeasured",),
    "checklist": ("qwzchecked",),
    "incident": ("qwzincident",),
    "issue": ("qwzissue",),
    "rollback request": ("qwzimpact",),
    "rollback step": ("qwzstep",),
    "fix": ("qwzfix",),
    "test of a fix": ("qwztested",),
    "root cause": ("qwzcause",),
    "gate input": ("qwzopinion",),
    "gate decision": ("qwzverdict",),
    "artefact": ("qwzlesson",),
    "cancellation": ("qwzcancelled",),
    "refused text": ("qwzrefused",),
    "malformed input": ("qwzmalformed",),
    "exception text": ("qwzexception",),
}
"""Of a programme: its people, and whatever they write."""

IN_LETTERS = frozenset({"programme name", "location name"})
"""Its members are told which location a letter is about."""


def found_in(blob: bytes, marks: Mapping[str, tuple[str, ...]] = MARKS) -> set[str]:
    """Which marks are in there: as text in any case, in UTF-16, in hexadecimal, in base64."""
    text = blob.lower()
    return {
        what
        for what, writings in marks.items()
        if any(form in text for writing in writings for form in _caseless(writing))
        or any(form in blob for writing in writings for form in _base64(writing))
    }


def _caseless(writing: str) -> Iterator[bytes]:
    yield writing.encode()
    yield writing.encode("utf-16-le")
    for form in _cases(writing):
        yield form.hex().encode()


def _base64(writing: str) -> Iterator[bytes]:
    """The part that does not depend on what stands before and after."""
    for form in _cases(writing):
        for before in range(3):
            encoded = base64.b64encode(b"\0" * before + form)
            yield encoded[-(-before * 4 // 3) : (before + len(form)) * 4 // 3]


def _cases(writing: str) -> set[bytes]:
    return {writing.encode(), writing.capitalize().encode()}

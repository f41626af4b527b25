"""What makes a strong submission (E-03, E-04, E-11 to E-13, E-24), checked before anyone is charged.

Each rule is a small function with stable codes, listed in `RULES`. Errors block the order, advice does not. Messages
are constants: a finding never quotes the submission, which holds health data.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

from domain.econsult.identifiers import Identifier, KnownIdentifiers, identifiers_in, plain
from domain.econsult.submission import RESULTS, AttachmentKind, Purpose, Submission
from domain.errors import Invalid
from domain.model import Value
from domain.specialties import find

QUESTION_LENGTH = (12, 2_000)
"""Least and most characters, around white space not counted."""
HISTORY_LENGTH = (50, 20_000)


class Severity(StrEnum):
    ERROR = "error"
    ADVICE = "advice"


class Finding(Value):
    code: str
    severity: Severity
    field: str
    """The field of `Submission` that the finding is about."""
    message: str
    hint: str


class _Draft(NamedTuple):
    submission: Submission
    known: KnownIdentifiers
    question: str
    history: str

    @property
    def text(self) -> str:
        return f"{self.question}\n{self.history}"


Rule = Callable[[_Draft], Iterable[Finding]]


def lint(submission: Submission, known_identifiers: KnownIdentifiers) -> tuple[Finding, ...]:
    """Every finding, errors first. Deterministic; raises nothing, whatever the text.

    Text beyond the allowed length is an error, and only the allowed part is looked at, which bounds the time.
    """
    draft = _Draft(
        submission,
        known_identifiers,
        plain(submission.question.strip()[: QUESTION_LENGTH[1]]),
        plain(submission.history.strip()[: HISTORY_LENGTH[1]]),
    )
    findings = [finding for rule in RULES for finding in rule(draft)]
    return tuple(sorted(findings, key=lambda finding: finding.severity is not Severity.ERROR))


def blocking(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those findings that keep the submission from being ordered."""
    return tuple(finding for finding in findings if finding.severity is Severity.ERROR)


def _error(code: str, field: str, message: str, hint: str) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, field=field, message=message, hint=hint)


def _advice(code: str, field: str, message: str, hint: str) -> Finding:
    return Finding(code=code, severity=Severity.ADVICE, field=field, message=message, hint=hint)


def _unknown_specialty(draft: _Draft) -> Iterator[Finding]:
    try:
        find(draft.submission.specialty_code)
    except Invalid as error:
        hint = "Choose a specialty from the catalogue."
        yield _error(error.code, "specialty_code", "No specialty has this code.", hint)


def _question_length(draft: _Draft) -> Iterator[Finding]:
    hint = "Ask one specific question that the specialist can answer in writing."
    yield from _length("question", draft.submission.question, QUESTION_LENGTH, hint)


def _history_length(draft: _Draft) -> Iterator[Finding]:
    hint = "Sum up the relevant history, findings, treatment so far, medications and allergies."
    yield from _length("history", draft.submission.history, HISTORY_LENGTH, hint)


def _length(field: str, text: str, allowed: tuple[int, int], hint: str) -> Iterator[Finding]:
    least, most = allowed
    length = len(text.strip())
    if length == 0:
        yield _error(f"{field}.missing", field, f"The {field} is missing.", hint)
    elif length < least:
        yield _error(f"{field}.too_short", field, f"The {field} has fewer than {least} characters.", hint)
    elif length > most:
        yield _error(f"{field}.too_long", field, f"The {field} has more than {most} characters.", hint)


def _no_notes(draft: _Draft) -> Iterator[Finding]:
    if not any(note_id.strip() for note_id in draft.submission.note_ids):
        hint = "Refer to at least one clinical note of the visit."
        yield _error("notes.missing", "note_ids", "No clinical note is referenced.", hint)


def _no_result(draft: _Draft) -> Iterator[Finding]:
    kinds = {attachment.kind for attachment in draft.submission.attachments}
    if draft.submission.purpose is Purpose.INTERPRET_RESULT and not kinds & RESULTS:
        hint = "Attach the lab, imaging or diagnostic result to be interpreted."
        yield _error("attachments.result_missing", "attachments", "No result is attached.", hint)


_IDENTIFIER_NAMES = {
    Identifier.NAME: "a personal name",
    Identifier.BIRTH_DATE: "a date of birth",
    Identifier.EMAIL: "an e-mail address",
    Identifier.PHONE: "a phone number",
    Identifier.SSN: "a social security number",
    Identifier.RECORD_NUMBER: "a record or member number",
}


def _identifiers(draft: _Draft) -> Iterator[Finding]:
    hint = "Remove it, and say age and sex instead; if it is no identifier, put it in other words."
    for field, text in (("question", draft.question), ("history", draft.history)):
        for kind in identifiers_in(text, draft.known):
            message = f"The {field} seems to hold {_IDENTIFIER_NAMES[kind]}."
            yield _error(f"identifier.{kind}", field, message, hint)


_INTENT = re.compile(
    r"\?|\b(?:advi[sc]e|recommend\w*|suggest\w*|interpret\w*|opinion|thoughts|guidance|wonder\w*|whether|should|would"
    r"|please|help|how|what|which|when|why)\b",
    re.IGNORECASE,
)
_TAKE_OVER = re.compile(
    r"\btake over\b(?![- ]the[- ]counter)|\bassume (?:the )?(?:care|management)\b|\btransfer(?:ring)? (?:of )?care\b"
    r"|\baccept (?:(?:this|the|my) patient|him|her|them)\b"
    r"|\b(?:can|could) you (?:please )?(?:see|follow|examine|prescribe|order|schedule|refill|operate|admit)\b"
    r"|\bplease (?:prescribe|order|schedule|refill|admit|operate)\b"
    r"|\bplease (?:see|follow|examine) (?:(?:this|the|my) patient|him|her|them)\b",
    re.IGNORECASE,
)
_URGENT = re.compile(
    r"\b(?:stat|asap|emergent|emergency(?! contracepti)|immediately|right away|life[- ]threatening)\b", re.IGNORECASE
)


def _no_intent(draft: _Draft) -> Iterator[Finding]:
    if draft.question and not _INTENT.search(draft.question):
        hint = "End with a question mark, or say what you would like to know."
        yield _advice("question.no_intent", "question", "The text does not ask for anything.", hint)


def _several_questions(draft: _Draft) -> Iterator[Finding]:
    if len(re.findall(r"\?+", draft.question)) > 1:
        hint = "Keep to the question that decides the plan; others fit into the follow-up window."
        yield _advice("question.several", "question", "More than one question is asked.", hint)


def _off_scope(draft: _Draft) -> Iterator[Finding]:
    if _TAKE_OVER.search(draft.question):
        hint = "The specialist answers in writing; you remain the treating clinician and order what is needed."
        yield _advice("question.off_scope", "question", "The specialist is asked to act in person.", hint)


def _urgent(draft: _Draft) -> Iterator[Finding]:
    if _URGENT.search(draft.question):
        hint = "An answer takes a day or two. Use emergency care or a direct call where time matters."
        yield _advice("question.urgent", "question", "The question sounds urgent.", hint)


def _unless_mentioned(code: str, pattern: str, message: str, hint: str, purpose: Purpose | None = None) -> Rule:
    """Advice for a history that, together with the question, says nothing on a subject."""
    mention = re.compile(pattern, re.IGNORECASE)

    def rule(draft: _Draft) -> Iterator[Finding]:
        concerned = draft.history and purpose in (None, draft.submission.purpose)
        if concerned and not mention.search(draft.text):
            yield _advice(code, "history", message, hint)

    return rule


_no_diagnosis = _unless_mentioned(
    "history.no_diagnosis",
    r"\b(?:diagnos\w+|differential|d?dx|suspect\w*|suspicio\w+|concern\w* (?:for|about|of)|consistent with|c/w|likely"
    r"|probabl[ey]|possibl[ey]|presum\w+|rul(?:e|ed|ing) out|r/o|impression|assessment|versus|vs|favou?r\w*|think)\b",
    "No working diagnosis or differential is mentioned.",
    "Say what you think it is and what else you consider.",
)
_no_treatment = _unless_mentioned(
    "history.no_treatment",
    r"\b(?:treat\w*|untreated|tried|trial\w*|\w*therap\w*|start(?:ed|ing)|stopp?ed|failed|respon[ds]\w*"
    r"|refractory|manag\w+|regimen|course of|improv\w+|relie[fv]\w*|surg\w+|inject\w+|naive|conservative|prescri\w+"
    r"|switched|increased|taper\w*)\b",
    "No earlier treatment is mentioned.",
    "Say what was tried, for how long and with what effect, or that nothing was.",
)
_no_timeline = _unless_mentioned(
    "history.no_timeline",
    r"\b(?:hours?|hrs?|days?|weeks?|wks?|months?|mos?|years?|yrs?)\b(?![\s-]*(?:old|of age))|\b\d+\s?[dw]\b"
    r"|\b(?:since|ago|onset|duration|chronic\w*|acute\w*|recent\w*|sudden\w*|yesterday|today|lifelong|long-?standing)\b"
    r"|\b(?:19|20)\d\d\b",
    "No duration or time course is mentioned.",
    "Say when it began and how it has changed.",
)
_no_medications = _unless_mentioned(
    "history.no_medications",
    r"\b(?:medications?|meds?|medicines?|drugs?|tak(?:es?|ing)|prescri\w+|dos(?:e|es|ed|ing|age)|daily|bid|tid|prn"
    r"|tablets?|supplements?)\b|\d\s?(?:mg|mcg|ug|units?|iu)\b",
    "No medications are mentioned.",
    "List the current medications with doses, or say that there are none.",
)
_no_allergies = _unless_mentioned(
    "history.no_allergies",
    r"\b(?:allerg\w+|nkd?a|intoleran\w+|anaphyla\w+)\b",
    "No allergies are mentioned.",
    "List known allergies, or say that there are none.",
)
_no_appointment = _unless_mentioned(
    "history.no_appointment",
    r"\b(?:appointment|appt|referr\w+|wait\w*|schedul\w+|seen by|booked|until)\b",
    "The appointment to be bridged is not mentioned.",
    "Say when and with which specialty the patient will be seen in person.",
    Purpose.BRIDGE,
)

_AGE = re.compile(
    r"\b\d{1,3}[\s-]?(?:y/?o|y\.o\.|yrs?|years?|mos?|months?|weeks?|days?)[\s-]?(?:old|of age|[mf])\b"
    r"|\b\d{1,3}[\s-]?(?:y/?o|y\.o\.|[ymf]\b)"
    r"|\b(?:aged?|newborn|neonate|infant|toddler|child|teen\w*|adolescent|adult|elderly|octogenarian)\b",
    re.IGNORECASE,
)
_SEX = re.compile(
    r"\b(?:fe)?males?\b|\b(?:wo)?m[ae]n\b|\b(?:boy|girl|lady|gentleman|he|she|his|hers?|him|pregnant|trans\w*|non-?binary"
    r"|intersex)\b|\b\d{1,3}[\s-]?(?:y/?o|yr|year[\s-]old)?[\s-]?[mf]\b",
    re.IGNORECASE,
)


def _photo_without_person(draft: _Draft) -> Iterator[Finding]:
    photo = any(attachment.kind is AttachmentKind.PHOTO for attachment in draft.submission.attachments)
    if photo and draft.history and not (_AGE.search(draft.text) and _SEX.search(draft.text)):
        hint = "A photo is read in the light of the patient's age and sex: add both, and the body site."
        yield _advice("history.no_age_or_sex", "history", "Age or sex is not mentioned with a photo.", hint)


RULES: tuple[Rule, ...] = (
    _unknown_specialty,
    _question_length,
    _history_length,
    _no_notes,
    _no_result,
    _identifiers,
    _no_intent,
    _several_questions,
    _off_scope,
    _urgent,
    _no_diagnosis,
    _no_treatment,
    _no_timeline,
    _no_medications,
    _no_allergies,
    _no_appointment,
    _photo_without_person,
)
"""Every rule, in the order in which findings of the same severity appear."""

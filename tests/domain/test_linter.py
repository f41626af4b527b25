"""The submission linter (E-03, E-04, E-12, E-13, E-24)."""

from __future__ import annotations

import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.econsult.identifiers import Identifier, KnownIdentifiers, identifiers_in
from domain.econsult.linter import HISTORY_LENGTH, QUESTION_LENGTH, Finding, Severity, blocking, lint
from domain.econsult.submission import AttachmentKind, AttachmentRef, Purpose, Submission

NOBODY = KnownIdentifiers()
MARIA = KnownIdentifiers(
    name_parts=("Maria", "García-Lopez"),
    birth_date=date(1984, 3, 7),
    email="Maria.G@example.org",
    phone="+1 (312) 555-0142",
)

GOOD = Submission(
    specialty_code="207N00000X",
    purpose=Purpose.SECOND_OPINION,
    question="Would you biopsy this lesion now, or treat it as seborrheic dermatitis first?",
    history=(
        "54-year-old woman with a scaly plaque of the scalp for six weeks. Working diagnosis seborrheic dermatitis, "
        "psoriasis considered. Ketoconazole 2 % shampoo tried for 3 weeks without relief. "
        "Medications: lisinopril 10 mg daily. No known drug allergies. BP 120/80, glucose 95 mg/dL."
    ),
    attachments=(AttachmentRef(id="a1", kind=AttachmentKind.PHOTO),),
    note_ids=("n1",),
)


def with_(**changes: object) -> Submission:
    return GOOD.model_copy(update=changes)


def codes(submission: Submission, known: KnownIdentifiers = MARIA) -> set[str]:
    return {finding.code for finding in lint(submission, known)}


def attached(*kinds: AttachmentKind) -> tuple[AttachmentRef, ...]:
    return tuple(AttachmentRef(id=f"a{n}", kind=kind) for n, kind in enumerate(kinds))


def test_finds_nothing_in_a_strong_submission() -> None:
    assert lint(GOOD, MARIA) == ()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"specialty_code": "207N"}, "specialty.unknown"),
        ({"question": " \n "}, "question.missing"),
        ({"question": "Biopsy?"}, "question.too_short"),
        ({"question": "Why? " * (QUESTION_LENGTH[1] // 4)}, "question.too_long"),
        ({"history": ""}, "history.missing"),
        ({"history": "Rash."}, "history.too_short"),
        ({"history": "x " * HISTORY_LENGTH[1]}, "history.too_long"),
        ({"note_ids": ()}, "notes.missing"),
        ({"note_ids": ("  ",)}, "notes.missing"),
        (
            {"purpose": Purpose.INTERPRET_RESULT, "attachments": attached(AttachmentKind.PHOTO)},
            "attachments.result_missing",
        ),
        ({"purpose": Purpose.INTERPRET_RESULT, "attachments": ()}, "attachments.result_missing"),
    ],
)
def test_blocks_what_cannot_be_answered(changes: dict[str, object], code: str) -> None:
    findings = lint(with_(**changes), MARIA)
    assert code in {finding.code for finding in blocking(findings)}


@pytest.mark.parametrize("kind", [AttachmentKind.LAB, AttachmentKind.IMAGING, AttachmentKind.DIAGNOSTIC])
def test_a_result_of_any_kind_can_be_interpreted(kind: AttachmentKind) -> None:
    assert not codes(with_(purpose=Purpose.INTERPRET_RESULT, attachments=attached(kind)))


BARE = "Plaque of the scalp, scaly and red, spreading towards the forehead and behind the ears."


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"question": "Scaly plaque of the scalp."}, "question.no_intent"),
        ({"question": "Should I biopsy? And which steroid is best?"}, "question.several"),
        ({"question": "Can you see my patient for this plaque next week?"}, "question.off_scope"),
        ({"question": "Please prescribe what you think is best for the plaque."}, "question.off_scope"),
        ({"question": "Would you take over the care of this plaque?"}, "question.off_scope"),
        ({"question": "What should be done immediately for this plaque?"}, "question.urgent"),
        ({"history": BARE}, "history.no_treatment"),
        ({"history": BARE}, "history.no_timeline"),
        ({"history": BARE}, "history.no_medications"),
        ({"history": BARE}, "history.no_allergies"),
        ({"history": BARE}, "history.no_age_or_sex"),
        ({"history": BARE, "question": "What would you do about this plaque?"}, "history.no_diagnosis"),
        ({"purpose": Purpose.BRIDGE}, "history.no_appointment"),
    ],
)
def test_advises_without_blocking(changes: dict[str, object], code: str) -> None:
    findings = lint(with_(**{"question": "How would you handle this plaque?"} | changes), MARIA)
    assert code in {finding.code for finding in findings}
    assert not blocking(findings)


@pytest.mark.parametrize(
    "question",
    [
        "Please advise on the next step for this plaque.",
        "Requesting your opinion on the plaque described below.",
        "¿Conviene una biopsia ahora？",  # noqa: RUF001 - full-width question marks are typed too
        "Is a topical steroid safe if she has to take over-the-counter antihistamines?",
        "Is emergency contraception safe with these medications?",
    ],
)
def test_gives_no_advice_on_a_clear_question(question: str) -> None:
    assert not codes(with_(question=question))


def test_advice_on_age_and_sex_is_for_photos_alone() -> None:
    assert "history.no_age_or_sex" not in codes(with_(history=BARE, attachments=attached(AttachmentKind.LAB)))


@pytest.mark.parametrize("person", ["54F", "54 yo woman", "infant girl", "aged 54, male", "54-year-old m", "8 y/o boy"])
def test_understands_how_age_and_sex_are_written(person: str) -> None:
    assert "history.no_age_or_sex" not in codes(with_(history=f"{BARE} {person}"))


def test_an_age_is_no_time_course() -> None:
    assert "history.no_timeline" in codes(with_(history=f"{BARE} 35 years old, 35-year-old."))


def test_puts_errors_before_advice() -> None:
    severities = [finding.severity for finding in lint(with_(history=BARE, note_ids=()), MARIA)]
    assert severities == sorted(severities, key=[Severity.ERROR, Severity.ADVICE].index)
    assert {Severity.ERROR, Severity.ADVICE} <= set(severities)


IDENTIFYING = [
    ("Maria", Identifier.NAME),
    ("MARIA", Identifier.NAME),
    ("Maria's", Identifier.NAME),
    ("Ms. Unknown", Identifier.NAME),
    ("Garcia", Identifier.NAME),
    ("García", Identifier.NAME),
    ("Lopez", Identifier.NAME),
    ("maria garcia-lopez", Identifier.NAME),
    ("garcia-lopez, maria", Identifier.NAME),
    ("Mar\u200bia", Identifier.NAME),
    ("3/7/1984", Identifier.BIRTH_DATE),
    ("03/07/84", Identifier.BIRTH_DATE),
    ("03-07-1984", Identifier.BIRTH_DATE),
    ("7.3.1984", Identifier.BIRTH_DATE),
    ("1984-03-07", Identifier.BIRTH_DATE),
    ("1984\u201103\u201107", Identifier.BIRTH_DATE),
    ("19840307", Identifier.BIRTH_DATE),
    ("March 7, 1984", Identifier.BIRTH_DATE),
    ("Mar. 7th 1984", Identifier.BIRTH_DATE),
    ("7 March 1984", Identifier.BIRTH_DATE),
    ("7th of March, 1984", Identifier.BIRTH_DATE),
    ("07-MAR-84", Identifier.BIRTH_DATE),
    ("DOB: 1/2/1990", Identifier.BIRTH_DATE),
    ("born on January 2, 1990", Identifier.BIRTH_DATE),
    ("maria.g@EXAMPLE.org", Identifier.EMAIL),
    ("somebody+else@mail.example.com", Identifier.EMAIL),
    ("555-0142", Identifier.PHONE),
    ("(312) 555-0142", Identifier.PHONE),
    ("3125550142", Identifier.PHONE),
    ("+1.312.555.0142", Identifier.PHONE),
    ("617 555 0199", Identifier.PHONE),
    ("617\u2013555\u20130199", Identifier.PHONE),
    ("1-617-555-0199", Identifier.PHONE),
    ("+44 20 7946 0958", Identifier.PHONE),
    ("phone: 555-0199", Identifier.PHONE),
    ("078-05-1120", Identifier.SSN),
    ("SSN 078051120", Identifier.SSN),
    ("MRN 0012345", Identifier.RECORD_NUMBER),
    ("mrn#AB-991234", Identifier.RECORD_NUMBER),
    ("Medical record number: 12-34567", Identifier.RECORD_NUMBER),
    ("MR0012345", Identifier.RECORD_NUMBER),
    ("Member ID: XYZ123456", Identifier.RECORD_NUMBER),
]


@pytest.mark.parametrize(("identifying", "kind"), IDENTIFYING)
@pytest.mark.parametrize("field", ["question", "history"])
def test_blocks_identifiers_in_either_text(identifying: str, kind: Identifier, field: str) -> None:
    submission = with_(**{field: f"{getattr(GOOD, field)} ({identifying})"})
    assert [(f.code, f.field) for f in blocking(lint(submission, MARIA))] == [(f"identifier.{kind}", field)]


WILL = KnownIdentifiers(name_parts=("Will", "Graves"), birth_date=date(2001, 12, 5), phone="6175550199")
MAY = KnownIdentifiers(name_parts=("May", "Long"), email="may@example.org")


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("Will this help? Graves disease is likely. The patient will be seen.", WILL),
        ("May this be lupus? Symptoms may long persist. How long may she wait?", MAY),
        ("maria is not capitalised, marias, Mariana, and Lopezite are no names", MARIA),
        ("Metoprolol 25 mg bid, 5 mg, 1,000 units, 0.125 mcg, INR 2-3, 120/80 mmHg", MARIA),
        ("HCV RNA 6400000 IU/mL; platelets 250000; WBC 10.5-12.5; BP 120-80", MARIA),
        ("Follow-up 1984 and 3/7, HbA1c 7.3 on 03/07/2024, PSA 3.7-84", MARIA),
        ("ICD-10 L40.0, CPT 99213, rs1234567, NCT01234567, LOINC 4548-4", MARIA),
        ("MR angiography, MS Contin 15 mg, Dr. Stone agrees, Mr. and Mrs. were asked", MARIA),
        ("CD4 cell 300-4000, social security disability 100 %, ratio 1:10000", MARIA),
        ("2023-10-02 to 2024-01-15; edema +2 to +3; 2020 2021 2022", MARIA),
        ("born at 39 weeks in 1984", MARIA),
    ],
)
def test_lets_clinical_prose_pass(text: str, known: KnownIdentifiers) -> None:
    assert identifiers_in(text, known) == ()


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("Seen with Will Graves today", WILL),
        ("WILL Q. GRAVES", WILL),
        ("Graves, Will", WILL),
        ("Long May", MAY),
        ("Mr. Graves", WILL),
        ("O\u2019Neill", KnownIdentifiers(name_parts=("Li", "O'Neill"))),
        ("li o'neill", KnownIdentifiers(name_parts=("Li", "O'Neill"))),
        ("王 小明", KnownIdentifiers(name_parts=("王", "小明"))),
    ],
)
def test_finds_names_that_are_words_where_they_surely_name(text: str, known: KnownIdentifiers) -> None:
    assert identifiers_in(text, known) == (Identifier.NAME,)


_texts = st.text(max_size=400)
_names = st.text(st.characters(categories=["L", "M", "N", "P", "Z", "S", "C"]), max_size=12)
_known = st.builds(
    KnownIdentifiers,
    name_parts=st.lists(_names, max_size=4).map(tuple),
    birth_date=st.none() | st.dates(),
    email=st.none() | st.emails() | _texts,
    phone=st.none() | st.from_regex(r"\+?[0-9 ()-]{0,20}") | _texts,
)
_attachments = st.lists(st.builds(AttachmentRef, id=_names, kind=st.sampled_from(AttachmentKind)), max_size=3)
_submissions = st.builds(
    Submission,
    specialty_code=_names | st.just("207N00000X"),
    purpose=st.sampled_from(Purpose),
    question=_texts,
    history=_texts,
    attachments=_attachments.map(tuple),
    note_ids=st.lists(_names, max_size=2).map(tuple),
)


@given(_submissions, _known)
def test_never_fails_and_always_finds_the_same(submission: Submission, known: KnownIdentifiers) -> None:
    findings = lint(submission, known)
    assert findings == lint(submission, known)
    assert {finding.field for finding in findings} <= set(Submission.model_fields)


MARK = "QXZVJKWQ"


@given(st.lists(st.sampled_from([text for text, _ in IDENTIFYING] + [MARK]), min_size=1, max_size=6), st.data())
def test_a_finding_never_quotes_the_submission(words: list[str], data: st.DataObject) -> None:
    text = " ".join(words)
    submission = data.draw(st.sampled_from([with_(question=text), with_(history=text), with_(specialty_code=text)]))
    said = " ".join(f"{finding.message} {finding.hint}" for finding in lint(submission, MARIA))
    assert not [word for word in words if word in said]


_seen: dict[tuple[str, str], Finding] = {}


@given(_submissions, _known)
def test_a_finding_depends_on_its_code_and_field_alone(submission: Submission, known: KnownIdentifiers) -> None:
    for finding in lint(submission, known):
        assert _seen.setdefault((finding.code, finding.field), finding) == finding


_prose = st.text(st.characters(categories=["L", "P", "Z"]), max_size=60)


@given(_prose, _prose, st.sampled_from(IDENTIFYING))
def test_finds_identifiers_wherever_they_stand(before: str, after: str, case: tuple[str, Identifier]) -> None:
    identifying, kind = case
    assert kind in identifiers_in(f"{before} {identifying} {after}", MARIA)


@given(st.dates(date(1900, 1, 1), date(2026, 1, 1)))
def test_finds_any_birth_date_in_the_usual_formats(day: date) -> None:
    known = KnownIdentifiers(birth_date=day)
    forms = ("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y", "%d.%m.%Y", "%B %d, %Y", "%b %d %Y", "%d %B %Y", "%Y%m%d")
    missed = [form for form in forms if not identifiers_in(f"see {day.strftime(form)}.", known)]
    assert not missed


@given(st.from_regex(r"[2-9]\d{2}[2-9]\d{6}", fullmatch=True, alphabet=st.characters(codec="ascii")))
def test_finds_the_phone_number_however_it_is_grouped(phone: str) -> None:
    known = KnownIdentifiers(phone=f"+1{phone}")
    area, exchange, line = phone[:3], phone[3:6], phone[6:]
    for written in (phone, f"({area}) {exchange}-{line}", f"{area}.{exchange}.{line}", f"{exchange} {line}"):
        assert identifiers_in(f"reach at {written}, evenings", known) == (Identifier.PHONE,)


@pytest.mark.parametrize("unit", ["a", "1", "1-", "a@", "a.", "Maria ", "+1 ", "mrn", "7 Mar ", "dob ", "A. ", " "])
def test_reads_hostile_text_of_the_greatest_length_at_once(unit: str) -> None:
    text = unit * (HISTORY_LENGTH[1] // len(unit)) + "!"
    started = time.process_time()
    lint(with_(question=text, history=text), MARIA)
    assert time.process_time() - started < 2  # quadratic patterns take far longer


def test_keeps_health_data_out_of_its_representations() -> None:
    assert GOOD.history not in repr(GOOD)
    assert GOOD.question not in repr(GOOD)
    assert "Maria" not in repr(MARIA)

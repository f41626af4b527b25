"""The catalogue of specialties (E-07)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.specialties import CodeSystem, catalogue, find, search


def test_offers_more_than_140_specialties_with_unique_codes_and_names() -> None:
    specialties = catalogue()
    assert len(specialties) > 140
    assert len({s.code for s in specialties}) == len(specialties)
    assert len({s.name.casefold() for s in specialties}) == len(specialties)


def test_codes_have_the_form_of_their_system() -> None:
    forms = {CodeSystem.NUCC: r"20[2-9A-Z][0-9A-Z]{6}X|213E00000X", CodeSystem.CAREWAVE: r"CW-[A-Z]+(-[A-Z]+)*"}
    assert not [s for s in catalogue() if not re.fullmatch(forms[s.code_system], s.code)]


def test_no_specialty_repeats_its_name_as_a_synonym() -> None:
    assert not [s for s in catalogue() if s.name.casefold() in map(str.casefold, s.synonyms)]


def test_finds_each_specialty_by_its_code() -> None:
    assert all(find(s.code) is s for s in catalogue())


@pytest.mark.parametrize("code", ["", "207RC0000", "207rc0000x", " 207RC0000X", "Cardiology"])
def test_refuses_an_unknown_code_without_repeating_it(code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        find(code)
    assert refusal.value.code == "specialty.unknown"
    assert not code.strip() or code not in refusal.value.detail


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("207RC0000X", "Cardiovascular Disease"),
        ("207rc0000x", "Cardiovascular Disease"),
        ("cw-headache", "Headache Medicine"),
        ("Neurology", "Neurology"),
        ("cardiology", "Cardiovascular Disease"),
        ("derm", "Dermatology"),
        ("  PULMONARY   disease ", "Pulmonary Disease"),
        ("pediatric card", "Pediatric Cardiology"),
        ("Crohn's", "Inflammatory Bowel Disease"),
        ("Alzheimér", "Behavioral Neurology & Neuropsychiatry"),
        ("migraine", "Headache Medicine"),
        ("OB/GYN", "Obstetrics & Gynecology"),
        ("ENT", "Otolaryngology"),
        ("high blood pressure", "Hypertension"),
    ],
)
def test_puts_what_was_meant_first(text: str, first: str) -> None:
    assert search(text)[0].name == first


def test_ranks_the_start_of_a_name_above_a_word_in_it_above_a_synonym() -> None:
    names = [s.name for s in search("glau")]
    assert names[0] == "Glaucoma"
    names = [s.name for s in search("thoracic")]
    assert names[0] == "Thoracic Surgery"
    names = [s.name for s in search("liver")]
    assert names.index("Hepatology") < names.index("Transplant Hepatology")


@pytest.mark.parametrize("text", ["", "   ", "?!", "zzzz", "cardiology zzzz"])
def test_finds_nothing_for_what_matches_nothing(text: str) -> None:
    assert search(text) == []


@given(st.text(max_size=40), st.integers(-1, 30))
def test_search_never_fails_and_keeps_to_its_limit(text: str, limit: int) -> None:
    found = search(text, limit)
    assert len(found) <= max(limit, 0)
    assert len({s.code for s in found}) == len(found)


@given(st.data())
def test_every_specialty_is_found_by_its_name_and_by_each_synonym(data: st.DataObject) -> None:
    chosen = data.draw(st.sampled_from(catalogue()))
    words = data.draw(st.sampled_from([chosen.name, *chosen.synonyms]))
    assert chosen in search(words, limit=1_000)

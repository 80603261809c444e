"""Numbers that are one number are written in one way, before they are hashed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.normalise import normalise_nik, normalise_passport, normalise_phone

NIK = "7401014107990001"
MOBILE = "+6281234567890"


@pytest.mark.parametrize(
    "text",
    [
        NIK,
        f" {NIK}\n",
        "74.01.01.410799.0001",
        "7401-0141-0799-0001",
        "7401 0141 0799 0001",
        "７４０１０１４１０７９９０００１",
    ],
)
def test_a_nik_in_any_writing_is_one_nik(text: str) -> None:
    assert normalise_nik(text) == NIK


@pytest.mark.parametrize(
    "text", ["", "740101410799000", "74010141079900011", "7401014107990OO1", "٧٤٠١٠١٤١٠٧٩٩٠٠٠١", "Siti"]
)
def test_what_has_no_16_digits_is_no_nik(text: str) -> None:
    with pytest.raises(ValueError, match="16 digits") as refused:
        normalise_nik(text)
    assert not text or text not in str(refused.value)


@pytest.mark.parametrize("text", ["X1234567", "x1234567", " X 1234567\n", "X-1234567", "X 123 4567"])
def test_a_passport_in_any_writing_is_one_passport(text: str) -> None:
    assert normalise_passport(text) == "X1234567"


@pytest.mark.parametrize("text", ["", "X123", "ABCDEFGH", "hilang", "X12345678901234", "X123456é", "-"])
def test_what_has_too_few_digits_or_too_much_of_anything_is_no_passport(text: str) -> None:
    with pytest.raises(ValueError, match="four digits at least") as refused:
        normalise_passport(text)
    assert not text or text == "-" or text not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "081234567890",
        "0812-3456-7890",
        "+62 812 3456 7890",
        "6281234567890",
        "0062 812-3456-7890",
        "+62 (0)812 34567890",
        "81234567890",
        "(0812) 3456.7890",
        "+62‑812‑3456‑7890",
    ],
)
def test_a_number_with_any_prefix_is_one_number(text: str) -> None:
    assert normalise_phone(text) == MOBILE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+855 12 345 678", "+85512345678"),
        ("00855 12 345 678", "+85512345678"),
        ("0401-3121234", "+624013121234"),
        ("061 4567890", "+62614567890"),
        ("+82 10-1234-5678", "+821012345678"),
    ],
)
def test_a_landline_and_a_number_abroad_keep_their_place(text: str, expected: str) -> None:
    assert normalise_phone(text) == expected


@pytest.mark.parametrize("text", ["", "0", "+", "110", "12345678", "0812 CALL ME", "+62", "+123456789012345678"])
def test_what_is_no_number_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="a telephone number") as refused:
        normalise_phone(text)
    assert not text.strip("+0") or text not in str(refused.value)


@given(st.from_regex(r"8[1-9][0-9]{7,10}", fullmatch=True), st.sampled_from(["0", "62", "+62", "0062", "", "+62 0"]))
def test_what_is_written_in_one_way_stays_so(number: str, prefix: str) -> None:
    once = normalise_phone(prefix + number)
    assert once == f"+62{number}"
    assert normalise_phone(once) == once

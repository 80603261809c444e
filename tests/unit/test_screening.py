"""Screening: what the answers add up to. A person decides; the table only suggests."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.police.interviews import require_training, valid_modules
from services.police.screening import DIMENSIONS, EXPLOITATION, SCREENING, Weight, grade, suggest
from shared.domain.forms import Choice, Filing, body_of
from shared.domain.refusal import Refused

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
S, M, W = Weight.STRONG, Weight.MEDIUM, Weight.WEAK
ORDER = ("none", "weak", "medium", "strong")


def suggested(child: bool = False, /, **values: Any) -> str:
    return str(suggest(Filing(values, NOW, is_child=child))["suggests"])


@pytest.mark.parametrize(
    ("weights", "grade_of_it"),
    [
        ([], "none"),
        ([W], "weak"),
        ([W, W, W], "weak"),
        ([M], "weak"),
        ([M, W], "weak"),
        ([S], "medium"),
        ([M, M], "medium"),
        ([S, W], "strong"),
        ([S, S], "strong"),
        ([M, M, W], "strong"),
        ([M, W, W], "weak"),
    ],
)
def test_a_dimension_is_graded_by_the_weights_of_what_was_seen(weights: list[Weight], grade_of_it: str) -> None:
    assert grade(weights) == grade_of_it


@given(st.lists(st.sampled_from(list(Weight)), max_size=8), st.sampled_from(list(Weight)))
def test_seeing_more_never_makes_it_less(weights: list[Weight], more: Weight) -> None:
    assert ORDER.index(grade([*weights, more])) >= ORDER.index(grade(weights))
    assert grade(list(reversed(weights))) == grade(weights)


def test_the_six_dimensions_are_in_our_words_in_both_languages_each_with_all_weights() -> None:
    assert len(DIMENSIONS) == 6
    for label, indicators in DIMENSIONS.values():
        assert label.id != label.en and len(indicators) >= 5
        assert all(one.label.id and one.label.en and one.label.id != one.label.en for one in indicators.values())
    weights = {one.weight for _, indicators in DIMENSIONS.values() for one in indicators.values()}
    assert weights == set(Weight)


ALL_THREE = {"acts": ["sent"], "means": ["threat"], "purposes": ["organs"]}


@pytest.mark.parametrize("missing", [*ALL_THREE, None])
@pytest.mark.parametrize("is_child", [False, True])
def test_act_means_and_purpose_make_a_victim_and_a_child_needs_no_means(missing: str | None, is_child: bool) -> None:
    answers = {name: values for name, values in ALL_THREE.items() if name != missing}
    whole = missing is None or (missing == "means" and is_child)
    assert (suggested(is_child, **answers) == "presumed-victim") == whole


def test_what_was_seen_of_the_dimensions_counts_as_means_and_purpose() -> None:
    seen = {"exploitation": ["no-wage"], "coercion_at_destination": ["locked-in"]}
    assert suggested(acts=["received"], **seen) == "presumed-victim"
    assert suggested(**seen) == "undecided"  # nobody has said how they came
    assert suggested(acts=["received"], exploitation=["no-wage"]) == "undecided"
    assert suggested() == "not-found"


@given(st.sampled_from([code for code in DIMENSIONS if code != EXPLOITATION]))
def test_every_dimension_but_exploitation_is_a_means(dimension: str) -> None:
    indicators = list(DIMENSIONS[dimension][1])
    answers: dict[str, Any] = {"acts": ["received"], "purposes": ["other"], dimension: indicators}
    assert suggested(**answers) == "presumed-victim"


def test_every_answer_of_the_form_can_be_given() -> None:
    body, everything = body_of(SCREENING), {"decision": "presumed-victim"}
    for field in SCREENING.fields:
        if isinstance(field.kind, Choice) and field.kind.many:
            everything[field.code] = list(field.kind.options)  # type: ignore[assignment]
    values = body.model_validate(everything).model_dump(exclude_none=True)
    facts = suggest(Filing(values, NOW))
    assert {facts[f"grade_{code}"] for code in DIMENSIONS} == {"strong"}
    assert facts["elements"] == ["act", "means", "purpose"]


# --- who may interview ----------------------------------------------------------------------------------------------

ANI, BUDI = "0193f0a2-7a10-7000-8000-000000000001", "0193f0a2-7a10-7000-8000-000000000002"
TRAININGS = [
    {"officer": ANI, "module": "victim-centred", "valid_until": "2026-11-26"},
    {"officer": ANI, "module": "child", "valid_until": "2026-11-25"},
    {"officer": BUDI, "module": "child", "valid_until": "2030-01-01"},
]


def test_training_is_valid_until_the_end_of_its_last_day() -> None:
    assert valid_modules(TRAININGS, ANI, NOW.date()) == {"victim-centred"}
    assert valid_modules(TRAININGS, BUDI, NOW.date()) == {"child"}


@pytest.mark.parametrize(
    ("modules", "is_child", "wanting"),
    [
        ({"victim-centred"}, False, None),
        ({"victim-centred"}, True, "child"),
        ({"child"}, True, "victim-centred"),
        ({"victim-centred", "child"}, True, None),
        (set(), False, "victim-centred"),
    ],
)
def test_a_childs_interview_needs_the_child_module_too(modules: set[str], is_child: bool, wanting: str | None) -> None:
    if wanting is None:
        require_training(modules, is_child)
        return
    with pytest.raises(Refused, match="officer-not-trained") as refused:
        require_training(modules, is_child)
    assert refused.value.facts == {"module": wanting}

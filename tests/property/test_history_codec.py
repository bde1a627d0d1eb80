"""What is kept comes back equal, for anything that JSON can hold."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_source_orchestrator.core.claim import Contribution, Record
from data_source_orchestrator.core.snapshot import Claim, Entity, FieldValue
from data_source_orchestrator.history import codec

texts = st.text(st.characters(), max_size=8)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(
    scalars, lambda held: st.lists(held, max_size=3) | st.dictionaries(texts, held, max_size=3), max_leaves=5
)
zones = st.sampled_from([UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-11, minutes=-30))])
moments = st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30), timezones=zones)  # noqa: DTZ001 — hypothesis adds the zone
records = st.builds(Record, texts, st.dictionaries(texts, values, max_size=3))
contributions = st.builds(
    Contribution, source=texts, run_id=texts, checked_at=moments, records=st.lists(records, max_size=3).map(tuple)
)
claims = st.builds(Claim, source=texts, value=values, run_id=texts, checked_at=moments)
fields = st.builds(FieldValue, claim=claims, outranked=st.lists(claims, max_size=2).map(tuple))
entities = st.builds(Entity, id=texts, fields=st.dictionaries(texts, fields, max_size=3))


@given(contributions)
def test_a_contribution_comes_back_equal(contribution: Contribution):
    body = codec.contribution_body(contribution)
    at = codec.moment_text(contribution.checked_at)
    back = codec.contribution_of(contribution.source, contribution.run_id, at, body)
    assert back == contribution
    assert repr(back.records) == repr(contribution.records)


@given(entities)
def test_an_entity_comes_back_equal(entity: Entity):
    back = codec.entity_of(entity.id, codec.entity_text(entity))
    assert back == entity
    assert repr(back.values()) == repr(entity.values())


@given(values)
def test_a_document_comes_back_equal_to_the_last_digit(value: object):
    assert repr(codec.from_text(codec.to_text(value))) == repr(value)


@given(moments, moments)
def test_texts_of_moments_sort_as_the_moments_do(one: datetime, other: datetime):
    assert (codec.moment_text(one) < codec.moment_text(other)) == (one < other)
    assert codec.moment_of(codec.moment_text(one)) == one
    assert codec.moment_of(codec.moment_text(one)).utcoffset() == timedelta(0)


@given(st.binary(max_size=50))
def test_damaged_bytes_raise_only_what_the_codec_says(body: bytes):
    with pytest.raises(codec.UNREADABLE):
        codec.contribution_of("farm", "r1", "2026-05-07T12:00:00.000000+00:00", body)


@given(values, st.sampled_from(["[]", '{"n": 1}', '{"n": [{}]}', '{"n": []}', "nul", '{"n": [{"source": 1}]}']))
def test_text_of_another_shape_is_never_taken_for_an_entity_or_raises_only_what_the_codec_says(
    value: object, text: str
):
    for damaged in (text, codec.to_text(value)):
        try:
            entity = codec.entity_of("pear", damaged)
        except codec.UNREADABLE:
            continue
        assert codec.entity_of("pear", codec.entity_text(entity)) == entity

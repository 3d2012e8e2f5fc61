"""Credentials: nothing planted gets through, nothing else is touched, twice is as once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import settings as settings_of_a_test
from hypothesis import strategies as st

from bench.secret_samples import HARMLESS, Sample, credentials, samples
from kioku.errors import SecretRefusedError
from kioku.memory import open_store
from kioku.observation import Observation, encode_body
from kioku.secrets import must_screen
from kioku.secrets.detection import find
from kioku.secrets.formats import FORMATS
from kioku.secrets.screening import redacted, screened
from tests.unit.memories import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kioku.memory import Memory

LOOSE = {row.kind for row in FORMATS if row.is_loose}
"""Of which one in a thousand is drawn so that it could be a name; the corpus counts those."""

seeds = st.integers(0, 2**32)
words = st.text(st.characters(exclude_categories=("Cc", "Cs"))) | st.sampled_from(HARMLESS)
# What stands around a credential and is no part of a longer word of its letters.
edges = st.sampled_from(
    ["", " ", "\n", "(", "「", "、", "は", "。", '"', "`", "=", ": ", "\t", ">"]
)


@st.composite
def planted(draw: st.DrawFn) -> Sample:
    """A credential that tells its issuer, anywhere in any text."""
    drawn = credentials(draw(seeds))
    all_of_them = [Sample(kind, secret, secret) for kind, secret in drawn if kind not in LOOSE]
    sample = draw(st.sampled_from(all_of_them))
    before = draw(words) + draw(st.sampled_from([" ", "\n", "(", "「", "は", '"', "= "]))
    after = draw(st.sampled_from([" ", "\n", ")", "」", "です", '"', ", "])) + draw(words)
    return sample._replace(text=before + sample.secret + after)


@given(planted())
def test_nothing_planted_gets_through(sample: Sample) -> None:
    left = redacted(sample.text)
    assert sample.secret not in left
    assert sample.secret[-10:] not in left.replace(sample.secret, "")


@settings_of_a_test(max_examples=20)
@given(seeds)
def test_at_least_95_of_100_ways_to_write_one_are_found(seed: int) -> None:
    texts = list(samples(seed))
    missed = [sample for sample in texts if sample.secret in redacted(sample.text)]
    assert len(missed) <= len(texts) // 20, missed


@given(words | st.builds("".join, st.lists(words | edges | planted().map(lambda s: s.text))))
def test_twice_is_as_once_and_what_is_left_holds_nothing(text: str) -> None:
    if "<private" in text.lower():
        return
    left = redacted(text)
    assert find(left) == ()
    assert redacted(left) == left
    if find(text) == ():
        assert left == text


@given(words, st.lists(words), st.dictionaries(words, words))
def test_the_bytes_of_a_body_tell_whether_to_look(
    content: str, tags: list[str], extra: dict[str, str]
) -> None:
    """What no field holds by itself the body may seem to hold; never the other way round."""
    texts = [content, *tags, *extra, *extra.values()]
    joined = "\n".join(texts).encode()
    if any(find(text) for text in texts):
        assert any(must_screen(text.encode(), "redact") for text in texts)
        assert must_screen(joined, "redact")


@given(planted())
def test_an_observation_is_screened_in_every_field(sample: Sample) -> None:
    text = sample.secret[:1000]
    saved = screened(
        Observation(sample.text, subject=text, tags=("x", text), extra={text: [{"y": text}]}),
        "redact",
    )
    assert sample.secret not in repr(saved)
    assert not any(find(part) for part in (saved.content, saved.subject, *saved.tags))
    assert encode_body(saved)


@pytest.fixture(scope="module")
def refusing() -> Iterator[Memory]:
    with open_store(":memory:", settings()._replace(secrets="refuse")) as memory:
        memory.save("kept")
        yield memory


@given(sample=planted())
def test_a_refusal_changes_nothing_and_names_no_part_of_it(
    refusing: Memory, sample: Sample
) -> None:
    before = refusing.digest()
    with pytest.raises(SecretRefusedError) as refused:
        refusing.save_many([{"content": "fine"}, {"content": sample.text[:9000]}])
    assert refusing.digest() == before
    assert sample.secret[-8:] not in str(refused.value)

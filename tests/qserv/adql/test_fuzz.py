"""Whatever the text, the parser gives a tree or says why not."""

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from qserv.adql import AdqlSyntaxError, parse_adql
from tests.qserv.adql.texts import ACCEPTED, REFUSED, VOCABULARY

soups = st.lists(st.sampled_from(VOCABULARY), max_size=40).map(" ".join)
selects = soups.map(lambda soup: f"SELECT a FROM t WHERE {soup}")
texts = st.sampled_from(ACCEPTED + REFUSED)


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """A text with a few of its pieces dropped, doubled, swapped or replaced."""
    pieces = draw(texts).split(" ")
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(pieces) - 1))
        width = draw(st.integers(0, 2))
        put = draw(st.lists(st.sampled_from([*VOCABULARY, *pieces]), max_size=2))
        pieces[place : place + width] = put
        pieces = pieces or [""]
    return draw(st.sampled_from([" ", "", "\n"])).join(pieces)


@st.composite
def cuts(draw: st.DrawFn) -> str:
    """A text with a character less, or cut short."""
    text = draw(texts)
    place = draw(st.integers(0, len(text)))
    return text[:place] + (text[place + 1 :] if draw(st.booleans()) else "")


def outcome_of(text: str) -> object:
    try:
        return parse_adql(text)
    except AdqlSyntaxError as error:
        return error


@settings(max_examples=600, deadline=None)
@given(st.one_of(soups, selects, mutations(), cuts(), st.text(max_size=60)))
def test_any_text_gives_a_tree_or_a_syntax_error(text: str) -> None:
    outcome = outcome_of(text)
    if isinstance(outcome, AdqlSyntaxError):
        place = f"line {outcome.line}, column {outcome.column}"
        assert str(outcome).startswith(f"ADQL syntax error at {place}: ")
        assert 1 <= (outcome.line or 0) <= text.count("\n") + 1
    else:
        assert isinstance(outcome, exp.Expression)


@settings(max_examples=300, deadline=None)
@given(st.one_of(mutations(), cuts()))
def test_what_is_accepted_can_be_rendered_and_copied(text: str) -> None:
    outcome = outcome_of(text)
    if isinstance(outcome, exp.Expression):
        assert outcome.copy() == outcome
        assert outcome.sql("postgres")

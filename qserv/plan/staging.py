"""Stages: the links of a merge as feeds of its fragments. Pure.

`feeds.py` finds the links and chooses; here each becomes what dispatch needs to know: which output
tells, which column is told, and where the director index has the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from qserv.bound import Column, Query, RelationId
from qserv.plan.feeds import Link, NearLink, Size, choose, links_of
from qserv.plan.local import Local, Member, is_position
from qserv.plan.prune import Known
from qserv.planned import Feed, Fragment, KeyFeed, NearFeed, Reading
from schema.catalog import family_key

UNKNOWN_SHARE = 0.001
"""Of a table's rows, how many are expected to share one value of a column that is no key."""


@dataclass(frozen=True, slots=True)
class Open:
    """The fragments whose rows the merge fetches: their locals, and where each column is sent."""

    locals: Mapping[str, Local]
    sent: Mapping[Column, Column]
    """The base tables' columns -> those of the fetched relations."""
    held: Mapping[RelationId, int]
    """Fetched relations whose rows are here already, and how many they are."""


def with_feeds(
    fragments: Mapping[str, Fragment], merge: Query, fetched: Open, known: Known
) -> dict[str, Fragment]:
    """The fragments, some of which wait for others. `merge` names base tables' columns still."""
    owners = {
        relation: RelationId(name)
        for name, local in fetched.locals.items()
        for relation in local.joined
    }
    links = links_of(merge, owners)
    if not links:
        return dict(fragments)
    sizes = {
        RelationId(name): Size(fragment.estimated_sent, fragment.estimated_rows)
        for name, fragment in fragments.items()
    }
    sizes |= {relation: Size(rows, 0) for relation, rows in fetched.held.items()}
    shares = {
        link.target: _rows_per_value(link.target, _member(link, owners, fetched), known)
        for link in links
        if isinstance(link, Link)
    }
    chosen, sent = choose(links, sizes, owners, shares)
    result = {
        name: replace(fragment, estimated_sent=int(sent[RelationId(name)]))
        for name, fragment in fragments.items()
    }
    for link in chosen:
        target = link.target if isinstance(link, Link) else link.target[0]
        name = owners[target.relation]
        feed = _feed(link, _member(link, owners, fetched), fetched, known)
        if feed is not None:
            result[name] = _fed(result[name], feed)
    return result


def _fed(fragment: Fragment, feed: Feed) -> Fragment:
    """The fragment with one feed more, told in its reason."""
    match feed:
        case KeyFeed():
            place = f", which the index of {feed.index} places" if feed.index else ""
            told = f"the values of {feed.source}.c{feed.output} are sent to {feed.column}{place}"
        case NearFeed():
            told = (
                f"only around the positions of {feed.source}, within {feed.radius_arcsec:g} arcsec"
            )
    why = "; ".join(filter(None, (fragment.why, told)))
    return replace(fragment, feeds=(*fragment.feeds, feed), why=why)


def _feed(link: Link | NearLink, member: Member, fetched: Open, known: Known) -> Feed | None:
    """What dispatch must know of a link; None where it bounds nothing that is stored."""
    if isinstance(link, NearLink):
        return _near_feed(link, member, fetched, known)
    source = fetched.sent.get(link.source, link.source)
    index, grow_arcsec = _places(link.target, member, known)
    return KeyFeed(
        source=source.relation,
        output=int(source.name[1:]),
        relation=link.target.relation,
        column=link.target.name,
        index=index,
        grow_arcsec=grow_arcsec,
        rows_per_value=_rows_per_value(link.target, member, known),
    )


def _member(
    link: Link | NearLink, owners: Mapping[RelationId, RelationId], fetched: Open
) -> Member:
    """The relation that a link bounds."""
    target = link.target if isinstance(link, Link) else link.target[0]
    member = fetched.locals[owners[target.relation]].member(target.relation)
    assert member is not None, "the local lost a member"
    return member


def _places(column: Column, member: Member, known: Known) -> tuple[str | None, float]:
    """The table whose director index places the rows of a value, and how far from there they lie."""
    base = member.base
    if member.reading is not Reading.OWN:
        return None, 0.0
    family = family_key(base.catalog, base.table, column.name)
    if family is not None:
        return family, 0.0
    reach = known.separations.of_second(base)
    if base.table.match is not None and base.table.match[1] == column.name and reach is not None:
        return base.table.match[0], reach
    return None, 0.0


def _rows_per_value(column: Column, member: Member, known: Known) -> float:
    """How many rows are expected to share one value of a column."""
    base = member.base
    manifest = known.manifests[base.catalog.name]
    rows = manifest.rows_of(base.table.name)
    if base.table.primary_key == (column.name,):
        return 1.0
    family = family_key(base.catalog, base.table, column.name)
    if base.table.match is not None and base.table.match[1] == column.name:
        family = base.table.match[0]
    if family is not None:
        return max(1.0, rows / max(1, manifest.rows_of(family)))
    return max(1.0, rows * UNKNOWN_SHARE)


def _near_feed(link: NearLink, member: Member, fetched: Open, known: Known) -> NearFeed | None:
    if not is_position(member.base, *link.target) or member.reading is Reading.OVERLAP:
        return None
    ra, dec = (fetched.sent.get(column, column) for column in link.source)
    radius = 3600.0 * link.radius
    return NearFeed(
        source=ra.relation,
        ra=int(ra.name[1:]),
        dec=int(dec.name[1:]),
        relation=member.base.relation,
        radius_arcsec=radius,
        home_arcsec=radius + known.separations.of(member.base),
    )

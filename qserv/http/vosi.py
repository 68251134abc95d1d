"""VOSI 1.1 as XML (vo-models): what the server offers, its tables, whether it is up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from vo_models.tapregext import models as tap
from vo_models.vodataservice import models as vod
from vo_models.voresource.models import AccessURL, Capability, Interface, SecurityMethod
from vo_models.voresource.types import UTCTimestamp
from vo_models.vosi.availability import Availability
from vo_models.vosi.capabilities.models import VOSICapabilities
from vo_models.vosi.tables.models import VOSITable, VOSITableSet

from qserv.bind.declared import advertised
from qserv.formats.registry import FORMATS
from qserv.jobs.settings import JobSettings
from qserv.limits import Limits
from qserv.uploads.read import DEFAULT_LIMITS
from schema.catalog import Catalog, Column, ForeignKey, Table
from schema.types import SPELLINGS

GEOMETRY = (
    "POINT", "CIRCLE", "POLYGON", "BOX", "CONTAINS", "INTERSECTS", "DISTANCE", "COORD1", "COORD2",
    "AREA", "CENTROID", "COORDSYS", "REGION",
)  # fmt: skip
_VOSI = "ivo://ivoa.net/std/VOSI"
_UPLOADS = "ivo://ivoa.net/std/TAPRegExt#upload-"
_FEATURES = "ivo://ivoa.net/std/TAPRegExt#features-"


def capabilities(
    base_url: str,
    limits: Limits,
    security_methods: Sequence[str | None] = (),
    jobs: JobSettings | None = None,
    *,
    with_uploads: bool = False,
) -> bytes:
    """The capabilities document of the service at `base_url`.

    `security_methods` are how one may ask: IVOA SSO's names, None for unnamed; empty means unnamed only.
    `jobs`: how long asynchronous queries may run and are kept; None: there are none.
    """
    document = VOSICapabilities(
        capability=[
            _table_access(base_url, limits, security_methods, jobs, with_uploads=with_uploads),
            *(
                Capability(
                    standard_id=f"{_VOSI}#{name}", interface=[_interface(f"{base_url}/{name}")]
                )
                for name in ("capabilities", "availability")
            ),
            Capability(
                standard_id="ivo://ivoa.net/std/DALI#examples",
                interface=[_interface(f"{base_url}/examples")],
            ),
            Capability(
                standard_id=f"{_VOSI}#tables-1.1",
                interface=_interfaces(f"{base_url}/tables", security_methods),
            ),
        ]
    )
    return _xml(document)


def _table_access(
    base_url: str,
    limits: Limits,
    security_methods: Sequence[str | None],
    jobs: JobSettings | None,
    *,
    with_uploads: bool,
) -> tap.TableAccess:
    row_limit = None
    if limits.max_rows is not None:
        bound = tap.DataLimit(value=limits.max_rows, unit="row")
        row_limit = tap.DataLimits(default=bound, hard=bound)
    duration = retention = None
    if jobs is not None:
        duration = tap.TimeLimits(default=jobs.execution_s, hard=jobs.max_execution_s)
        retention = tap.TimeLimits(default=jobs.keep_s, hard=jobs.max_keep_s)
    elif limits.timeout_s is not None:
        seconds = int(limits.timeout_s)
        duration = tap.TimeLimits(default=seconds, hard=seconds)
    # TAP wants both; which addresses may be fetched is the configuration's to say.
    methods = ("inline", "http") if with_uploads else ()
    return tap.TableAccess(
        interface=_interfaces(base_url, security_methods, version="1.1", role="std"),
        language=[_language(), *_sql_languages()],
        output_format=[
            tap.OutputFormat(mime=form.mime, alias=[form.name, *form.aliases], ivo_id=form.ivo_id)
            for form in FORMATS.values()
        ],
        retention_period=retention,
        execution_duration=duration,
        output_limit=row_limit,
        upload_method=[tap.UploadMethod(ivo_id=_UPLOADS + method) for method in methods],
        upload_limit=_upload_limit() if with_uploads else None,
    )


def _upload_limit() -> tap.DataLimits:
    bound = tap.DataLimit(value=DEFAULT_LIMITS.max_rows, unit="row")
    return tap.DataLimits(default=bound, hard=bound)


def _language() -> tap.Language:
    return tap.Language(
        name="ADQL",
        version=[
            tap.Version(value="2.1", ivo_id="ivo://ivoa.net/std/ADQL#v2.1"),
            tap.Version(value="2.0", ivo_id="ivo://ivoa.net/std/ADQL#v2.0"),
        ],
        description="ADQL 2.1 over sharded catalogs",
        language_features=[
            _features("adqlgeo", GEOMETRY),
            _features("adql-common-table", ("WITH",)),
            _features("adql-sets", ("UNION", "EXCEPT", "INTERSECT")),
            _features("adql-string", ("LOWER", "UPPER", "ILIKE")),
            _features("adql-type", ("CAST",)),
            _conditional(),
            _features("adql-unit", ("IN_UNIT",)),
            _features("adql-offset", ("OFFSET",)),
            _user_defined(),
        ],
    )


def _sql_languages() -> list[tap.Language]:
    """The languages beside ADQL, by the values of LANG."""
    return [
        tap.Language(
            name=name,
            version=[tap.Version(value=version)],
            description=description,
            language_features=[],
        )
        for name, version, description in (
            ("PostgreSQL", "15", "PostgreSQL's SELECT; windows, grouping sets, LATERAL"),
            ("MySQL", "8.0", "MySQL's SELECT as at Qserv, SHOW and DESCRIBE"),
        )
    ]


def _user_defined() -> tap.LanguageFeatureList:
    """Texts are set, not passed: vo-models escapes twice what is passed."""
    functions = advertised()
    listed = _features("udf", [""] * len(functions))
    for feature, function in zip(listed.feature, functions, strict=True):
        feature.form, feature.description = function.form, function.description
    return listed


def _conditional() -> tap.LanguageFeatureList:
    """COALESCE; its key is written in lower case, which IVOA identifiers do not tell from upper.

    Validators of before ADQL 2.1 would call it an unknown key of the standard's.
    """
    found = _features("adql-conditional", ("COALESCE",))
    found.type = found.type.lower()
    return found


def _features(kind: str, forms: Sequence[str]) -> tap.LanguageFeatureList:
    features = [tap.LanguageFeature(form=form) for form in forms]
    return tap.LanguageFeatureList(type=_FEATURES + kind, feature=features)


def _interface(url: str, version: str | None = None, role: str | None = None) -> Interface:
    use = "full" if role is None else "base"
    return Interface(
        type="vs:ParamHTTP", version=version, role=role, access_url=[AccessURL(value=url, use=use)]
    )


def _interfaces(
    url: str, methods: Sequence[str | None], version: str | None = None, role: str | None = None
) -> list[Interface]:
    """One for those who are unnamed, one for those who log in; at the same address."""
    found = [] if methods and None not in methods else [_interface(url, version, role)]
    named = [SecurityMethod(standard_id=method) for method in methods if method is not None]
    if named:
        secured = _interface(url, version, role)
        secured.security_method = named
        found.append(secured)
    return found


def table_set(catalogs: Sequence[Catalog], *, with_columns: bool) -> bytes:
    """All tables; without columns it is VOSI's detail=min."""
    schemas = []
    for catalog in catalogs:
        tables = [vod.Table(table_name=_name(catalog, table)) for table in catalog.tables]
        for element, table in zip(tables, catalog.tables, strict=True):
            _fill(element, catalog, table, with_columns=with_columns)
        schemas.append(vod.TableSchema(schema_name=catalog.name, table=tables))
        schemas[-1].description = catalog.description or None
    return _xml(VOSITableSet(tableset_schema=schemas))


def one_table(catalog: Catalog, table: Table) -> bytes:
    """One table with its columns."""
    element = VOSITable(table_name=_name(catalog, table))
    _fill(element, catalog, table, with_columns=True)
    return _xml(element)


def _name(catalog: Catalog, table: Table) -> str:
    return f"{catalog.name}.{table.name}"


def _fill(element: vod.Table, catalog: Catalog, table: Table, *, with_columns: bool) -> None:
    """Says what a table is. Texts are set, not passed: vo-models escapes twice what is passed."""
    element.table_type = "table"
    element.description = table.description or None
    if with_columns:
        element.column = [_column(table, column) for column in table.columns]
        element.foreign_key = [_foreign_key(catalog, key) for key in table.foreign_keys]


def _column(table: Table, column: Column) -> vod.TableParam:
    spelling = SPELLINGS[column.type]
    flags = ["indexed"] if table.is_indexed(column) else []
    flags += ["primary"] if column.name in table.primary_key else []
    flags += ["nullable"] if column.nullable else []
    element = vod.TableParam(
        column_name=column.name,
        unit=column.unit,
        ucd=column.ucd,
        utype=column.utype,
        datatype=vod.DataType(value=spelling.votable, arraysize=spelling.votable_arraysize),
        flag=flags,
    )
    element.description = column.description or None
    return element


def _foreign_key(catalog: Catalog, key: ForeignKey) -> vod.ForeignKey:
    pairs = zip(key.columns, key.target_columns, strict=True)
    return vod.ForeignKey(
        target_table=f"{catalog.name}.{key.target}",
        fk_column=[vod.FKColumn(from_column=ours, target_column=theirs) for ours, theirs in pairs],
        description=key.description or None,
    )


def availability(up_since: datetime, reason: str | None) -> bytes:
    """Whether queries are answered; `reason` says why not."""
    document = Availability(
        available=reason is None,
        up_since=UTCTimestamp.fromisoformat(up_since.isoformat()),
        note=[reason] if reason else [],
    )
    return _xml(document)


def _xml(document: VOSICapabilities | VOSITableSet | VOSITable | Availability) -> bytes:
    encoded = document.to_xml(skip_empty=True, encoding="UTF-8", xml_declaration=True)
    return encoded if isinstance(encoded, bytes) else str(encoded).encode()

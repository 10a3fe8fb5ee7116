"""The schema: entities, the flags that they are declared with, and what their fields refer to.

Source: graph-node, docs/aggregations.md; its validation of schemas.
"""

from __future__ import annotations

from graph_test_daemon.subgraph.document import Place
from graph_test_daemon.subgraph.problems import Problem, Severity
from graph_test_daemon.subgraph.schema import (
    SCALARS,
    Field,
    Schema,
    SchemaType,
    SchemaUnreadable,
    read_schema,
)
from harness.suggestions import did_you_mean

from .subject import Subject

__all__ = ["check_schema"]

_FLAGS = ("immutable", "timeseries")
_IDS = ("ID!", "Bytes!", "String!", "Int8!")
_INTERVALS = ("hour", "day")
_SCHEMA_TYPE = "_Schema_"


def check_schema(subject: Subject) -> None:
    """Read the schema, and tell of what is wrong in it."""
    file = subject.manifest.schema
    if file is None:
        return
    try:
        text = subject.read(file)
    except FileNotFoundError:
        subject.error(f"the schema, {file}, is missing", "schema", "file")
        return
    except (OSError, ValueError) as error:
        subject.error(f"the schema, {file}, cannot be read: {error}", "schema", "file")
        return
    check = _Check(subject, file.removeprefix("./"))
    try:
        subject.schema = read_schema(text)
    except SchemaUnreadable as error:
        check.tell(str(error), error.place)
        return
    check.all(subject.schema)


class _Check:
    """The checks of one schema."""

    def __init__(self, subject: Subject, file: str) -> None:
        self._subject = subject
        self._file = file

    def all(self, schema: Schema) -> None:
        for each in schema.types.values():
            if each.is_object and each.name != _SCHEMA_TYPE:
                self._type(each, schema)
            for field in each.fields.values():
                self._field(each, field, schema)
        if not schema.entities:
            message = "no type is an entity: nothing would be stored"
            self.tell(message, Place(line=1, column=1), hint="add @entity to a type")

    def _type(self, each: SchemaType, schema: Schema) -> None:
        if "aggregation" in each.directives:
            self._aggregation(each, schema)
        elif not each.is_entity:
            hint = "add @entity(immutable: true), or (immutable: false) where it may change"
            self.tell(f'the type "{each.name}" has no @entity', each.place, hint=hint)
        else:
            self._flags(each)
            self._id(each)

    def _flags(self, each: SchemaType) -> None:
        given = each.directives["entity"]
        for flag, value in given.items():
            if flag not in _FLAGS:
                message = f'@entity of "{each.name}" has no flag "{flag}"'
                self.tell(message, each.place, hint=did_you_mean(flag, _FLAGS))
            elif not isinstance(value, bool):
                message = f'@entity({flag}: …) of "{each.name}" is {value!r}'
                self.tell(message, each.place, hint=f"write {flag}: true or {flag}: false")
        if "immutable" not in given and "timeseries" not in given:
            message = f'"{each.name}" does not say whether it is immutable; it may change'
            hint = "@entity(immutable: true) is quicker, and can be followed by other subgraphs"
            self.tell(message, each.place, hint=hint, severity=Severity.WARNING)
        if each.is_timeseries:
            if given.get("immutable") is False:
                message = f'"{each.name}" is a time series, so it is immutable'
                self.tell(message, each.place, hint="leave `immutable: false` out")
            self._series(each)

    def _id(self, each: SchemaType) -> None:
        field = each.fields.get("id")
        if field is None:
            message = f'the entity "{each.name}" has no id'
            self.tell(message, each.place, hint="add id: Bytes!, String! or Int8!")
        elif field.type not in _IDS:
            message = f'the id of "{each.name}" is {field.type}'
            self.tell(message, field.place, hint=f"one of {', '.join(_IDS)}")

    def _series(self, each: SchemaType) -> None:
        for name, type_ in (("id", "Int8!"), ("timestamp", "Timestamp!")):
            field = each.fields.get(name)
            if field is None or field.type != type_:
                place = each.place if field is None else field.place
                message = f'the time series "{each.name}" needs {name}: {type_}'
                self.tell(message, place, hint="graph-node fills both in by itself")

    def _aggregation(self, each: SchemaType, schema: Schema) -> None:
        given = each.directives["aggregation"]
        source = given.get("source", "")
        series = [entity.name for entity in schema.entities if entity.is_timeseries]
        if source not in series:
            message = f'"{each.name}" aggregates "{source}", which is no time series'
            hint = did_you_mean(source, series) or "mark one with @entity(timeseries: true)"
            self.tell(message, each.place, hint=hint)
        for interval in given.get("intervals") or [""]:
            if interval not in _INTERVALS:
                message = f'"{each.name}" has no interval "{interval}"'
                self.tell(message, each.place, hint=f"known: {', '.join(_INTERVALS)}")

    def _field(self, each: SchemaType, field: Field, schema: Schema) -> None:
        known = [*SCALARS, *schema.types]
        if field.base not in known:
            message = f'the field "{each.name}.{field.name}" is of an unknown type "{field.base}"'
            self.tell(message, field.place, hint=did_you_mean(field.base, known))
            return
        derived = field.directives.get("derivedFrom")
        target = schema.types.get(field.base)
        if derived is not None and target is not None:
            back = derived.get("field", "")
            if back not in target.fields:
                message = f'"{each.name}.{field.name}" is derived from "{target.name}.{back}"'
                hint = did_you_mean(back, target.fields)
                self.tell(f"{message}, which is not there", field.place, hint=hint)

    def tell(
        self,
        message: str,
        place: Place,
        *,
        hint: str | None = None,
        severity: Severity = Severity.ERROR,
    ) -> None:
        self._subject.problems.append(
            Problem(
                message=message,
                file=self._file,
                line=place.line,
                column=place.column,
                hint=hint,
                severity=severity,
            )
        )

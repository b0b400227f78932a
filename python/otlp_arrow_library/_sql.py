"""SQL on the stored tables, through DuckDB."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ._reading import SIGNALS, Signal, StoredTable

if TYPE_CHECKING:
    import duckdb

TableOf = Callable[[Signal, list[str] | None], StoredTable]

_INSTALL = "sql() needs DuckDB, which is not installed; install it with: pip install duckdb"
# What stands in a FROM clause without bringing all columns of a table along.
_PLAIN_SOURCES = {"BASE_TABLE", "JOIN", "SUBQUERY", "EMPTY", "EMPTY_FROM", "TABLE_FUNCTION", "EXPRESSION_LIST", "CTE"}


def run(query: str, parameters: Any, table: TableOf) -> duckdb.DuckDBPyRelation:
    """The relation of `query`, whose views are what `table` gives for a signal and columns (None: all)."""
    connection = connect()
    query = _without_end(connection, query)
    used: list[Signal] = [signal for signal in SIGNALS if re.search(rf"\b{signal}\b", query, re.IGNORECASE)]
    mentioned = _mentioned_names(connection, query)
    if mentioned is not None:
        import duckdb

        for signal in used:
            connection.register(signal, table(signal, _chosen(table(signal, None).columns, mentioned)))
        try:
            return _relation(connection, query, parameters)
        except duckdb.Error:
            pass  # its message would speak of too few columns
    for signal in used:
        connection.register(signal, table(signal, None))
    return _relation(connection, query, parameters)


# A semicolon with nothing but comments behind it.
_END = re.compile(r";(\s|;|--[^\n]*(\n|$)|/\*.*?\*/)*$", re.DOTALL)


def _without_end(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    """The query without a last semicolon: a relation stands inside other queries."""
    import duckdb

    shorter = _END.sub("", query)
    try:
        connection.extract_statements(shorter)
    except duckdb.Error:
        return query  # that was the inside of a text, or the query is wrong in any case
    return shorter


def connect() -> duckdb.DuckDBPyConnection:
    try:
        import duckdb
    except ModuleNotFoundError as error:
        if error.name != "duckdb":
            raise
        raise ModuleNotFoundError(_INSTALL, name="duckdb") from None
    return duckdb.connect()


def _relation(connection: duckdb.DuckDBPyConnection, query: str, parameters: Any) -> duckdb.DuckDBPyRelation:
    # DuckDB's stubs do not know that statements without rows have no relation.
    relation: duckdb.DuckDBPyRelation | None = connection.sql(query, params=parameters)
    return connection.sql("SELECT 1 WHERE false") if relation is None else relation


def _chosen(columns: list[str], mentioned: set[str]) -> list[str]:
    """The columns that are mentioned; one where none is: rows must still be counted."""
    return [name for name in columns if name.lower() in mentioned] or columns[:1]


def _mentioned_names(connection: duckdb.DuckDBPyConnection, query: str) -> set[str] | None:
    """Lower-case names that may be columns of a table; None where it cannot be said, or all columns are wanted."""
    rows = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [query]).fetchall()
    tree = json.loads(rows[0][0])
    if tree.get("error"):
        return None
    names: set[str] = set()
    tables: set[str] = set()
    for node in _nodes(tree):
        kind = node.get("type")
        if kind == "STAR" or node.get("class") == "STAR" or node.get("ref_type") == "NATURAL":
            return None
        if "alias" in node and "sample" in node and kind not in _PLAIN_SOURCES:
            return None
        if kind == "BASE_TABLE":
            if node.get("column_name_alias"):
                return None
            tables |= {str(node.get("table_name", "")).lower(), str(node.get("alias", "")).lower()}
        names.update(str(name).lower() for name in node.get("column_names") or ())
        names.update(str(name).lower() for name in node.get("using_columns") or ())
    # A table's name where a column's could stand means its whole row.
    singles = {str(node["column_names"][0]).lower() for node in _nodes(tree) if len(node.get("column_names") or ()) == 1}
    return None if singles & tables else names


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        for value in tree.values():
            yield from _nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _nodes(value)

"""The console script `otlp-arrow`: the program's commands, and `query`."""

from __future__ import annotations

import argparse
import os
import pathlib
import shutil
import sys
import tempfile
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING

from ._errors import OtlpConfigError, OtlpError

if TYPE_CHECKING:
    import duckdb

OK, FAILED, WRONG_USAGE = 0, 1, 2

_ABOUT = """\
Runs SQL on stored telemetry: one row per span in `traces`, per data point in `metrics`, per log record in `logs`.
The columns are shown by: otlp-arrow inspect DIRECTORY --schema"""
_EXAMPLES = """\
Examples:
  otlp-arrow query ./telemetry "SELECT service_name, count(*) FROM traces GROUP BY ALL"
  otlp-arrow query ./telemetry --format csv --output slow.csv \\
      "SELECT name, duration_ns FROM traces WHERE duration_ns > 1e9"
  otlp-arrow query ./telemetry --start 2024-05-06T07:00 --service shop "FROM logs"
  otlp-arrow query ./telemetry --include-journal "SELECT max(start_time) FROM traces"   # also what is in no file yet
  echo "FROM metrics LIMIT 5" | otlp-arrow query ./telemetry --format json

It needs DuckDB: pip install duckdb. Exit codes: 0 done, 1 failed, 2 wrong usage.
"""
_QUERY_HINT = """
SQL on what is stored (of the Python package):
  otlp-arrow query ./telemetry "SELECT service_name, count(*) FROM traces GROUP BY ALL"
"""
# Their help is that of the program, which does not know of `query`.
_GENERAL_HELP: tuple[list[str], ...] = ([], ["--help"], ["-h"], ["help"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit code."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments[:1] == ["query"]:
        return query(arguments[1:])
    try:
        from . import _service
    except ImportError as error:
        return _failed(f"the commands but query cannot be loaded ({error}); build the package with OTLP_ARROW_BUILD_SERVICE=ON")
    sys.stdout.flush()
    code = _service.run_command_line(["otlp-arrow", *arguments])
    if arguments in _GENERAL_HELP:
        print(_QUERY_HINT, end="", file=sys.stdout if code == OK else sys.stderr)
    return code


def query(arguments: Sequence[str]) -> int:
    """`otlp-arrow query`."""
    options = _parser().parse_intermixed_args(arguments)
    try:
        return _run_query(options)
    except ModuleNotFoundError as error:
        if error.name != "duckdb":
            raise
        return _failed("query needs DuckDB, which is not installed; install it with: pip install duckdb")
    except OtlpConfigError as error:
        _failed(error.message)
        return WRONG_USAGE
    except BrokenPipeError:
        # Whoever reads has seen enough. What is buffered must not be tried again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (OtlpError, OSError) as error:
        return _failed(str(error))
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        # DuckDB's own: the query is wrong, or a file is damaged.
        if not type(error).__module__.split(".")[0].endswith("duckdb"):
            raise
        return _failed(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="otlp-arrow query", description=_ABOUT, epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", help="an output directory, a folder with .arrow or .parquet files, or one such file")
    parser.add_argument("sql", nargs="?", help="the query; without it, or as -, it is read from standard input")
    parser.add_argument("--format", choices=("table", "csv", "json"), help="table (default), csv, or json: an array of objects")
    parser.add_argument("--output", metavar="FILE", help="write there; its suffix .csv or .json says the format")
    parser.add_argument("--start", metavar="TIME", help="rows from this time on: ISO 8601, UTC where it has no zone")
    parser.add_argument("--end", metavar="TIME", help="rows before this time")
    parser.add_argument("--service", metavar="NAME", action="append", help="rows of this service; may be given several times")
    parser.add_argument("--include-journal", action="store_true", help="also rows that are accepted and in no file yet")
    return parser


def _run_query(options: argparse.Namespace) -> int:
    from ._reading import open as open_directory

    sql = options.sql if options.sql not in (None, "-") else sys.stdin.read()
    if not sql.strip():
        raise OtlpConfigError("the query is empty; give it as the second argument or on standard input")
    relation = open_directory(options.directory).sql(
        sql, start=options.start, end=options.end, service=options.service, include_journal=options.include_journal
    )
    format_name = options.format or _format_of(options.output)
    if options.output:
        with open(options.output, "wb") as file:
            _write(relation, format_name, file)
    else:
        sys.stdout.flush()
        # Buffered also where Python's own is not (PYTHONUNBUFFERED).
        with open(sys.stdout.fileno(), "wb", closefd=False) as file:
            _write(relation, format_name, file)
    return OK


def _format_of(output: str | None) -> str:
    suffix = pathlib.PurePath(output or "").suffix.lower()
    return suffix[1:] if suffix in (".csv", ".json") else "table"


def _write(relation: duckdb.DuckDBPyRelation, format_name: str, file: IO[bytes]) -> None:
    if format_name == "table":
        file.write(_table(relation).encode("utf-8", "replace"))
        file.flush()
        return
    # DuckDB writes every type, nested ones and nanoseconds too, to a file of its own.
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "result")
        quoted = path.replace("'", "''")
        options = "FORMAT csv, HEADER" if format_name == "csv" else "FORMAT json, ARRAY true"
        relation.query("result", f"COPY result TO '{quoted}' ({options})")
        with open(path, "rb") as result:
            shutil.copyfileobj(result, file)
    file.flush()


def _table(relation: duckdb.DuckDBPyRelation) -> str:
    """Columns as wide as their longest text, cut where that is very long; all rows."""
    names = list(relation.columns)
    projected = ", ".join(f"CAST(#{index + 1} AS VARCHAR)" for index in range(len(names)))
    rows = [[_cell(value) for value in row] for row in relation.project(projected).fetchall()]
    widths = [max([len(name), *(len(row[i]) for row in rows)]) for i, name in enumerate(names)]
    lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in [names, *rows]]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([*lines, f"({len(rows)} row{'' if len(rows) == 1 else 's'})"]) + "\n"


_MOST_CHARACTERS = 60


def _cell(value: str | None) -> str:
    if value is None:
        return "NULL"
    text = value.replace("\n", "\\n")
    return text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 1] + "…"


def _failed(message: str) -> int:
    print(f"otlp-arrow: {message}", file=sys.stderr)
    return FAILED


if __name__ == "__main__":
    sys.exit(main())

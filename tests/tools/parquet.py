"""Compares exported Parquet files with the lines of JSON of the same export, read by DuckDB and by Apache Arrow."""

import json
import pathlib
import sys

import duckdb
import pyarrow.parquet

TYPES = {"BIGINT": int, "VARCHAR": str}


def rows_of_json(path):
    """The rows as lists, and the names of the columns."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return list(rows[0]), [list(row.values()) for row in rows]


def compare(tool, path, names, wanted, found_names, found):
    """Ends the program unless both are the same."""
    if found_names != names:
        sys.exit(f"{tool}, {path.name}: columns {found_names}, not {names}")
    if len(found) != len(wanted):
        sys.exit(f"{tool}, {path.name}: {len(found)} rows, not {len(wanted)}")
    for number, (row, other) in enumerate(zip(found, wanted)):
        for name, value, expected in zip(names, row, other):
            if type(value) is not type(expected) or value != expected:
                sys.exit(f"{tool}, {path.name}, row {number}, {name}: {value!r}, not {expected!r}")
    print(f"{tool}: {path.name}: {len(found)} rows of {len(names)} columns are those of the JSON")


def main(directory):
    for what in ["alerts", "evidence", "changes"]:
        path = directory / f"{what}.parquet"
        names, wanted = rows_of_json(directory / f"{what}.ndjson")
        answer = duckdb.sql(f"SELECT * FROM read_parquet('{path}')")
        if not set(map(str, answer.types)) <= set(TYPES):
            sys.exit(f"DuckDB, {path.name}: types {answer.types}")
        compare("DuckDB", path, names, wanted, answer.columns, [list(row) for row in answer.fetchall()])
        table = pyarrow.parquet.read_table(path)
        columns = [column.to_pylist() for column in table.columns]
        compare("Arrow", path, names, wanted, table.column_names, [list(row) for row in zip(*columns)])
        nullable = [field.name for field in table.schema if field.nullable]
        print(f"Arrow: {path.name}: may be null: {', '.join(nullable)}")
    # What the page for operators tells DuckDB's users to write.
    times = duckdb.sql(
        f"SELECT last_update_time, strftime(rtrim(last_update_time, 'Z')::TIMESTAMP_NS, '%Y-%m-%dT%H:%M:%S.%n')"
        f" FROM read_parquet('{directory}/alerts.parquet')"
    ).fetchall()
    wrong = [(text, time) for text, time in times if text.rstrip("Z") + "00" != time]
    if wrong:
        sys.exit(f"DuckDB reads the time {wrong[0][0]} as {wrong[0][1]}")
    print(f"DuckDB: {len(times)} times keep all their digits as TIMESTAMP_NS")


main(pathlib.Path(sys.argv[1]))

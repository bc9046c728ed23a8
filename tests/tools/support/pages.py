"""Looks at every page that Datasette shows of a store, and holds it against the store and the metadata.

Usage: pages.py ADDRESS METADATA STORE
"""

import json
import sqlite3
import sys
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

# Views that answer only to MATCH: in the place of their page stands the query of the same name.
ASKED = {"hunt", "search"}
# A view that is no part of the public face.
PRIVATE = "alert_text"


class Pages:
    """Datasette's pages of one database."""

    def __init__(self, address):
        self.address = address
        self.seen = 0

    def get(self, path, **parameters):
        """The status and the text of a page."""
        self.seen += 1
        address = f"{self.address}{path}" + (f"?{urlencode(parameters)}" if parameters else "")
        try:
            with urlopen(address, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()

    def json(self, path, **parameters):
        """What a page says as JSON; it must be well."""
        status, text = self.get(f"{path}.json", _shape="objects", **parameters)
        found = json.loads(text)
        assert status == 200 and not found.get("error"), f"{path} {parameters}: {status} {found.get('error')}"
        return found

    def html(self, path, *texts):
        """Asserts that a page is well and shows these texts."""
        status, page = self.get(path)
        assert status == 200, f"{path}: {status}"
        for text in texts:
            assert text in page, f"{path} does not show {text!r}"


def check_metadata(described, store):
    """Every public view is described column by column, and nothing else is; all other tables are hidden."""
    views = {name for (name,) in store.execute("SELECT name FROM sqlite_schema WHERE type = 'view'")}
    shown = {name for name, table in described["tables"].items() if "columns" in table}
    public = views - ASKED - {PRIVATE}
    assert shown == public, f"views that differ: {shown ^ public}"
    assert ASKED <= set(described["queries"])
    for name in shown:
        table = described["tables"][name]
        columns = [row[1] for row in store.execute(f"PRAGMA table_info({name})")]
        assert list(table["columns"]) == columns, f"{name}: {table['columns'].keys()} are not {columns}"
        named = table.get("facets", []) + table.get("sortable_columns", [])
        named += [table[key] for key in ("sort", "sort_desc") if key in table]
        assert set(named) <= set(columns), f"{name}: {set(named) - set(columns)}"
    return sorted(shown)


def check_front(pages, described, shown):
    """The first pages list the views and the queries, and no table."""
    pages.html("/", "Defender alerts")
    pages.html("/alerts", described["title"], *(query["title"] for query in described["queries"].values()))
    front = pages.json("/alerts")
    visible = [table["name"] for table in front["tables"] if not table["hidden"]]
    assert visible == [], f"tables that are not hidden: {visible}"
    assert sorted(view["name"] for view in front["views"]) == shown
    assert {query["name"] for query in front["queries"]} == set(described["queries"])
    status, _ = pages.get(f"/alerts/{PRIVATE}")
    assert status == 403, f"{PRIVATE}: {status}"


def check_view(pages, name, table, store):
    """A view's page has its rows, its facets, its title, its column's meaning, and can be sorted."""
    found = pages.json(f"/alerts/{name}", _size="max")
    rows = store.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
    assert len(found["rows"]) == min(rows, 1000), f"{name}: {len(found['rows'])} rows are not {rows}"
    facets = set(found["facet_results"])
    assert facets == set(table.get("facets", [])), f"{name}: facets {facets}, timed out {found.get('facets_timed_out')}"
    first = next(iter(table["columns"]))
    pages.html(f"/alerts/{name}", table["title"], f"<dt>{first}</dt>")
    for column in table.get("sortable_columns", []):
        pages.json(f"/alerts/{name}", _sort_desc=column, _size=5)
    return rows


def check_queries(pages, described, store):
    """Each query finds in the filled store what plain SQL finds, and takes empty fields and nonsense."""

    def ask(name, **parameters):
        return pages.json(f"/alerts/{name}", **parameters)["rows"]

    def one(sql, *values):
        return store.execute(sql, values).fetchone()

    def ids(sql, *values):
        return sorted(row[0] for row in store.execute(sql, values))

    (name,) = one("SELECT file_name FROM evidence WHERE file_name IS NOT NULL GROUP BY 1 ORDER BY count(*) LIMIT 1")
    sql = "SELECT DISTINCT alert_id FROM evidence WHERE lower(?1) IN (lower(file_name), lower(parent_process_file_name))"
    for kind in ("file", "File ", ""):
        found = sorted(row["alert_id"] for row in ask("hunt", value=f" {name.upper()} ", kind=kind))
        assert found == ids(sql, name), f"hunt {kind!r} {name!r}: {found}"
    assert ask("hunt", value=name, kind="sha1") == [] and ask("hunt", value='"', kind="") == []

    (title,) = one("SELECT title FROM alerts WHERE title IS NOT NULL ORDER BY alert_id LIMIT 1")
    found = {row["alert_id"] for row in ask("search", words='title:"' + title.replace('"', '""') + '"')}
    assert found >= set(ids("SELECT alert_id FROM alerts WHERE title = ? LIMIT 500", title)), f"search {title!r}"

    alert, tenant, changes = one("SELECT alert_id, tenant_id, count(*) FROM alert_changes GROUP BY 1, 2 ORDER BY 3 DESC")
    assert changes > 1, "no alert has changed"
    for which in (tenant, one("SELECT name FROM tenants WHERE tenant_id = ?", tenant)[0].upper(), ""):
        assert len(ask("history", alert_id=alert, tenant=which)) >= changes, f"history {alert} {which}"
    assert ask("history", alert_id=alert, tenant="nobody") == []

    (unresolved,) = one("SELECT count(*) FROM alerts WHERE status IS NOT 'Resolved'")
    rows = ask("open_by_tenant")
    assert sum(row["open"] for row in rows) == unresolved, f"open_by_tenant: {rows}"
    parts = sum(row[part] or 0 for row in rows for part in ("high", "medium", "low", "other"))
    assert parts == unresolved, f"open_by_tenant: {rows}"

    (alerts,) = one("SELECT count(*) FROM alerts WHERE alert_creation_time IS NOT NULL")
    rows = ask("times", days=100_000)
    assert sum(row["alerts"] for row in rows) == alerts and sum(row["touched"] for row in rows) > 0, f"times: {rows}"

    rows = ask("same_title", hours=1_000_000, tenants=3)
    sql = "SELECT title FROM alerts WHERE title IS NOT NULL GROUP BY 1 HAVING count(DISTINCT tenant_id) >= 3"
    assert sorted(row["title"] for row in rows) == ids(sql) != [], f"same_title: {rows}"

    newest = [seq for (seq,) in store.execute("SELECT seq FROM alert_changes ORDER BY seq DESC LIMIT 4")]
    found = [row["seq"] for row in ask("changes_since", seq=newest[-1])]
    assert found == sorted(newest[:-1]), f"changes_since: {found}"

    empty = {"value": "", "kind": "", "words": "", "alert_id": "", "tenant": "", "days": "", "hours": "", "tenants": ""}
    for query in described["queries"]:
        ask(query, **empty, seq="")
        pages.html(f"/alerts/{query}", described["queries"][query]["title"])
    status, _ = pages.get("/alerts/search.json", words='"')
    assert status == 400, f"a wrong expression: {status}"


def main(address, metadata, path):
    with open(metadata, encoding="utf-8") as file:
        described = yaml.safe_load(file)["databases"]["alerts"]
    store = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    pages = Pages(address)
    shown = check_metadata(described, store)
    check_front(pages, described, shown)
    rows = sum(check_view(pages, name, described["tables"][name], store) for name in shown)
    check_queries(pages, described, store)
    print(f"{pages.seen} pages of {len(shown)} views ({rows} rows) and {len(described['queries'])} queries are well")


if __name__ == "__main__":
    main(*sys.argv[1:])

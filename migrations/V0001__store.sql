-- The first schema. Tables are private to the daemon and may change with a later migration; the views at the end are
-- the public face. Comments stand inside the statements so that `.schema` shows them.
-- All times are UTC text of fixed width with seven fraction digits, so text order is time order.

PRAGMA application_id = 1095582290; -- 'AMFR': a file with another number is not ours and is left alone

CREATE TABLE tenant (
    tenant_key           INTEGER PRIMARY KEY,
    tenant_id            TEXT NOT NULL UNIQUE,       -- Entra tenant id, a GUID in lower case
    name                 TEXT NOT NULL,              -- the operator's name for the customer
    app                  TEXT NOT NULL,              -- which [app.NAME] signs in
    region               TEXT NOT NULL,
    tags                 TEXT NOT NULL DEFAULT '[]', -- JSON array of the operator's labels
    active               INTEGER NOT NULL DEFAULT 1, -- 0: switched off, or no longer in the configuration
    state                TEXT NOT NULL DEFAULT 'new',
    state_since          TEXT NOT NULL,
    reason               TEXT,                       -- why the state is not ok
    remedy               TEXT,                       -- what to do about it
    failure_class        TEXT,                       -- of the last pass, if it failed
    covered_until        TEXT,                       -- service clock: all alerts updated before are read, gaps aside
    last_attempt_at      TEXT,                       -- local clock
    last_success_at      TEXT,                       -- local clock
    consecutive_failures INTEGER NOT NULL DEFAULT 0,
    next_attempt_at      TEXT NOT NULL,              -- local clock; survives a restart, so a throttle does too
    last_sweep_at        TEXT,                       -- service clock
    head_failures        INTEGER NOT NULL DEFAULT 0, -- how often the head window's own answer failed in a row
    orderby_refused_at   TEXT,                       -- local clock; the service refused $orderby then
    calls_spent          INTEGER NOT NULL DEFAULT 0, -- API calls in the hour before calls_counted_at
    calls_counted_at     TEXT,                       -- local clock
    clock_skew_ms        INTEGER,                    -- local clock minus service clock at the last pass
    alert_count          INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX tenant_by_next_attempt ON tenant (active, next_attempt_at);

CREATE TABLE alert (
    alert_key            INTEGER PRIMARY KEY,
    tenant_key           INTEGER NOT NULL REFERENCES tenant (tenant_key),
    alert_id             TEXT NOT NULL,              -- opaque; unique within the tenant only
    last_update_time     TEXT NOT NULL,              -- the version
    digest               BLOB NOT NULL,              -- 128 bits of the text as received: equal text, equal digest
    thin                 INTEGER NOT NULL,           -- 1: the last read came without evidence
    severity             TEXT,
    status               TEXT,
    incident_id          INTEGER,
    classification       TEXT,
    determination        TEXT,
    investigation_state  TEXT,
    category             TEXT,
    detection_source     TEXT,
    title                TEXT,
    assigned_to          TEXT,
    machine_id           TEXT,
    computer_dns_name    TEXT,
    threat_name          TEXT,
    mitre_techniques     TEXT,                       -- JSON array
    alert_creation_time  TEXT,
    first_event_time     TEXT,
    last_event_time      TEXT,
    resolved_time        TEXT,
    first_seen_at        TEXT NOT NULL,              -- local clock
    evidence_count       INTEGER NOT NULL,
    raw                  TEXT NOT NULL,              -- the JSON text exactly as received
    UNIQUE (tenant_key, alert_id)
) STRICT;

CREATE INDEX alert_by_update ON alert (last_update_time);
CREATE INDEX alert_by_tenant_update ON alert (tenant_key, last_update_time);

CREATE TABLE alert_change (
    seq                  INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused, not even after deletions
    alert_key            INTEGER NOT NULL REFERENCES alert (alert_key),
    kind                 TEXT NOT NULL,              -- created, updated
    observed_at          TEXT NOT NULL,              -- local clock
    last_update_time     TEXT NOT NULL,              -- the version that was seen
    fields               TEXT,                       -- JSON object: name -> [old, new]; null for created
    history              INTEGER NOT NULL            -- 1: found while reading the past, not logged unless asked for
) STRICT;

CREATE INDEX alert_change_by_alert ON alert_change (alert_key, seq);

CREATE TABLE gap (
    gap_id               INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_key           INTEGER NOT NULL REFERENCES tenant (tenant_key),
    from_time            TEXT NOT NULL,              -- [from_time, until_time) of lastUpdateTime is unread
    until_time           TEXT NOT NULL,
    after_id             TEXT,                       -- at from_time itself, alerts with ids up to this one are read
    reason               TEXT NOT NULL,              -- initial, backfill, catch_up, sweep, failed
    attempts             INTEGER NOT NULL DEFAULT 0, -- failures since it last moved
    top                  INTEGER,                    -- rows to ask for, when fewer than usual
    not_before           TEXT,                       -- local clock
    last_error           TEXT,
    created_at           TEXT NOT NULL,              -- local clock
    CHECK (from_time < until_time)
) STRICT;

CREATE INDEX gap_by_tenant ON gap (tenant_key, from_time);

CREATE TABLE pass (
    pass_id              INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_key           INTEGER NOT NULL REFERENCES tenant (tenant_key),
    started_at           TEXT NOT NULL,              -- local clock
    finished_at          TEXT NOT NULL,              -- local clock
    outcome              TEXT NOT NULL,              -- read, partial, failed
    requests             INTEGER NOT NULL,
    rows                 INTEGER NOT NULL,           -- rows the service answered, repeats included
    created              INTEGER NOT NULL,
    updated              INTEGER NOT NULL,
    unchanged            INTEGER NOT NULL,
    quarantined          INTEGER NOT NULL,
    bytes                INTEGER NOT NULL,           -- of bodies, after decompression
    ms                   INTEGER NOT NULL,
    class                TEXT,                       -- of the failure
    reason               TEXT
) STRICT;

CREATE INDEX pass_by_tenant ON pass (tenant_key, pass_id);

CREATE TABLE quarantine (
    quarantine_id        INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_key           INTEGER NOT NULL REFERENCES tenant (tenant_key),
    alert_id             TEXT,
    reason               TEXT NOT NULL,
    raw                  BLOB NOT NULL,              -- as received, cut at a limit
    digest               BLOB NOT NULL,
    first_seen_at        TEXT NOT NULL,              -- local clock
    UNIQUE (tenant_key, digest)
) STRICT;

CREATE TABLE cursor (
    name                 TEXT PRIMARY KEY,           -- who follows alert_change
    seq                  INTEGER NOT NULL            -- the last change it has dealt with
) STRICT, WITHOUT ROWID;

CREATE VIEW alerts AS -- one row an alert, at its newest version
SELECT t.tenant_id, t.name AS tenant_name, a.alert_id, a.incident_id, a.severity, a.status, a.classification,
       a.determination, a.investigation_state, a.category, a.detection_source, a.title,
       a.raw ->> '$.description' AS description, a.assigned_to, a.machine_id, a.computer_dns_name, a.threat_name,
       a.mitre_techniques, a.alert_creation_time, a.first_event_time, a.last_event_time, a.last_update_time,
       a.resolved_time, a.first_seen_at, a.evidence_count, a.raw
FROM alert AS a JOIN tenant AS t USING (tenant_key);

CREATE VIEW alert_changes AS -- one row an observed change
SELECT c.seq, t.tenant_id, a.alert_id, c.kind, c.observed_at, c.last_update_time, c.fields, c.history
FROM alert_change AS c JOIN alert AS a USING (alert_key) JOIN tenant AS t USING (tenant_key);

CREATE VIEW tenants AS -- one row a tenant; lag_seconds ignores history that is still being read and second looks
SELECT t.tenant_id, t.name, t.state, t.reason, t.remedy, t.covered_until,
       unixepoch('now') - unixepoch(min(t.covered_until, coalesce(
           (SELECT min(g.from_time) FROM gap AS g
            WHERE g.tenant_key = t.tenant_key AND g.reason IN ('catch_up', 'failed')), t.covered_until)))
           AS lag_seconds,
       t.last_success_at, t.consecutive_failures,
       (SELECT count(*) FROM gap AS g WHERE g.tenant_key = t.tenant_key) AS open_gaps,
       t.alert_count, t.app, t.region, t.tags, t.state_since, t.last_attempt_at, t.next_attempt_at, t.clock_skew_ms,
       (SELECT count(*) FROM quarantine AS q WHERE q.tenant_key = t.tenant_key) AS quarantined
FROM tenant AS t;

CREATE VIEW gaps AS -- one row an interval that is known to be unread
SELECT t.tenant_id, g.from_time AS "from", g.until_time AS "until", g.reason, g.attempts, g.not_before, g.last_error,
       g.created_at
FROM gap AS g JOIN tenant AS t USING (tenant_key);

CREATE VIEW passes AS -- one row a recent pass that changed something or failed
SELECT t.tenant_id, p.started_at, p.finished_at, p.outcome, p.requests, p.rows, p.created, p.updated, p.unchanged,
       p.quarantined, p.bytes, p.ms, p.class, p.reason
FROM pass AS p JOIN tenant AS t USING (tenant_key);

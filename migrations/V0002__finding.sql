-- Finding: an index of the values one hunts for, an index of words, counts, and views for the questions people ask.
-- Alerts stay where they are and are stored once: `evidence` is read out of `raw`, the indexes hold no text of their own.

CREATE VIRTUAL TABLE value_index -- values that name something: hashes, addresses, files, accounts, devices
-- One column a kind, the values of an alert one a line, in lower case; a value is one token, with all its punctuation and
-- blanks. Filled by the daemon; asked through the view hunt.
USING fts5(
    sha1, sha256, ip, url, domain, file, account, upn, sid, user, device,
    content = '', columnsize = 0, detail = column,
    tokenize = "ascii tokenchars ' !""#$%&''()*+,-./:;<=>?@[\]^_`{|}~'"
);

CREATE VIEW alert_text AS -- what the index of words has of an alert; texts only, other types are left out
SELECT a.alert_key, a.title,
       iif(json_type(a.raw, '$.description') = 'text', a.raw ->> '$.description', NULL) AS description,
       (SELECT group_concat(line.value, char(10))
        FROM json_each(a.raw, '$.evidence') AS e, json_each(e.value) AS line
        WHERE e.type = 'object' AND line.key = 'processCommandLine' AND line.type = 'text') AS command_lines,
       (SELECT group_concat(name.value, char(10))
        FROM json_each(a.raw, '$.evidence') AS e, json_each(e.value) AS name
        WHERE e.type = 'object' AND name.key IN ('fileName', 'parentProcessFileName') AND name.type = 'text')
           AS file_names
FROM alert AS a;

CREATE VIRTUAL TABLE text_index -- words of titles, descriptions, command lines and file names
-- Without accents and case. Filled by the daemon; asked through the view search.
USING fts5(
    title, description, command_lines, file_names,
    content = 'alert_text', content_rowid = 'alert_key', columnsize = 0,
    tokenize = "unicode61 remove_diacritics 2"
);

CREATE TABLE index_state ( -- how far the two indexes are filled
    name                 TEXT PRIMARY KEY,           -- 'finding': both indexes
    version              INTEGER NOT NULL,           -- by which rules they were filled; other rules, filled anew
    filled_to            INTEGER                     -- the last alert_key of an unfinished filling; null: complete
) STRICT, WITHOUT ROWID;

CREATE TABLE alert_count ( -- how many alerts there are of each severity and status
    tenant_key           INTEGER NOT NULL REFERENCES tenant (tenant_key),
    severity             TEXT NOT NULL,              -- '' for none
    status               TEXT NOT NULL,              -- '' for none
    alerts               INTEGER NOT NULL,
    PRIMARY KEY (tenant_key, severity, status)
) STRICT, WITHOUT ROWID;

INSERT INTO alert_count (tenant_key, severity, status, alerts)
SELECT tenant_key, coalesce(severity, ''), coalesce(status, ''), count(*) FROM alert GROUP BY 1, 2, 3;

CREATE INDEX alert_by_severity ON alert (severity, last_update_time);
CREATE INDEX alert_by_creation ON alert (alert_creation_time, tenant_key, severity);
CREATE INDEX alert_open ON alert (last_update_time) WHERE status IS NOT 'Resolved';

CREATE VIEW evidence AS -- one row an entity of an alert; position counts from 0, entity is its JSON text
SELECT t.tenant_id, a.alert_id, e.key AS position,
       e.value ->> '$.entityType' AS entity_type,
       e.value ->> '$.evidenceCreationTime' AS evidence_creation_time,
       e.value ->> '$.sha1' AS sha1,
       e.value ->> '$.sha256' AS sha256,
       e.value ->> '$.fileName' AS file_name,
       e.value ->> '$.filePath' AS file_path,
       e.value ->> '$.processId' AS process_id,
       e.value ->> '$.processCommandLine' AS process_command_line,
       e.value ->> '$.processCreationTime' AS process_creation_time,
       e.value ->> '$.parentProcessId' AS parent_process_id,
       e.value ->> '$.parentProcessCreationTime' AS parent_process_creation_time,
       e.value ->> '$.parentProcessFileName' AS parent_process_file_name,
       e.value ->> '$.parentProcessFilePath' AS parent_process_file_path,
       e.value ->> '$.ipAddress' AS ip_address,
       e.value ->> '$.url' AS url,
       e.value ->> '$.registryKey' AS registry_key,
       e.value ->> '$.registryHive' AS registry_hive,
       e.value ->> '$.registryValueType' AS registry_value_type,
       e.value ->> '$.registryValue' AS registry_value,
       e.value ->> '$.registryValueName' AS registry_value_name,
       e.value ->> '$.accountName' AS account_name,
       e.value ->> '$.domainName' AS domain_name,
       e.value ->> '$.userSid' AS user_sid,
       e.value ->> '$.aadUserId' AS aad_user_id,
       e.value ->> '$.userPrincipalName' AS user_principal_name,
       e.value ->> '$.detectionStatus' AS detection_status,
       e.value AS entity
FROM alert AS a JOIN tenant AS t USING (tenant_key), json_each(a.raw, '$.evidence') AS e
WHERE e.type = 'object';

CREATE VIEW hunt AS -- for WHERE value MATCH '"10.0.0.1"' or 'sha1:"…"': one row an alert whose evidence names the value
SELECT v.value_index AS value, t.tenant_id, t.name AS tenant_name, a.alert_id, a.severity, a.status, a.title,
       a.machine_id, a.computer_dns_name, a.first_event_time, a.last_event_time, a.last_update_time, v.rowid AS stored
FROM value_index AS v JOIN alert AS a ON a.alert_key = v.rowid JOIN tenant AS t USING (tenant_key);

CREATE VIEW search AS -- for WHERE words MATCH 'powershell encoded*': one row an alert with these words
SELECT w.text_index AS words, t.tenant_id, t.name AS tenant_name, a.alert_id, a.severity, a.status, a.title,
       a.machine_id, a.computer_dns_name, a.last_update_time, w.rowid AS stored
FROM text_index AS w JOIN alert AS a ON a.alert_key = w.rowid JOIN tenant AS t USING (tenant_key);

CREATE VIEW open_alerts AS -- how many alerts are not resolved, by tenant and severity
SELECT t.tenant_id, t.name AS tenant_name, nullif(c.severity, '') AS severity, sum(c.alerts) AS alerts
FROM alert_count AS c JOIN tenant AS t USING (tenant_key)
WHERE c.status <> 'Resolved' AND c.alerts > 0
GROUP BY c.tenant_key, c.severity;

CREATE VIEW newest_alerts AS -- the hundred alerts that were updated last
SELECT t.tenant_id, t.name AS tenant_name, a.alert_id, a.severity, a.status, a.title, a.computer_dns_name,
       a.alert_creation_time, a.last_update_time
FROM alert AS a JOIN tenant AS t USING (tenant_key)
ORDER BY a.last_update_time DESC LIMIT 100;

CREATE VIEW stale_alerts AS -- alerts that are not resolved and were not updated for a week
SELECT t.tenant_id, t.name AS tenant_name, a.alert_id, a.severity, a.status, a.title, a.computer_dns_name, a.assigned_to,
       a.last_update_time, CAST(julianday('now') - julianday(a.last_update_time) AS INTEGER) AS days
FROM alert AS a JOIN tenant AS t USING (tenant_key)
WHERE a.status IS NOT 'Resolved' AND a.last_update_time < strftime('%Y-%m-%dT%H:%M:%f0000Z', 'now', '-7 days');

CREATE VIEW repeat_devices AS -- devices with three or more alerts created in the last 30 days
SELECT t.tenant_id, t.name AS tenant_name, a.machine_id, max(a.computer_dns_name) AS computer_dns_name,
       count(*) AS alerts, count(DISTINCT a.title) AS titles, sum(a.status IS NOT 'Resolved') AS open_alerts,
       min(a.alert_creation_time) AS first_created, max(a.alert_creation_time) AS last_created
FROM alert AS a JOIN tenant AS t USING (tenant_key)
WHERE a.alert_creation_time > strftime('%Y-%m-%dT%H:%M:%f0000Z', 'now', '-30 days') AND a.machine_id IS NOT NULL
GROUP BY t.tenant_id, a.machine_id HAVING count(*) >= 3;

CREATE VIEW repeat_accounts AS -- accounts in the evidence of three or more alerts created in the last 30 days
SELECT t.tenant_id, t.name AS tenant_name, lower(e.value ->> '$.domainName') AS domain_name,
       lower(e.value ->> '$.accountName') AS account_name, max(e.value ->> '$.userPrincipalName') AS user_principal_name,
       count(DISTINCT a.alert_key) AS alerts, count(DISTINCT a.machine_id) AS devices,
       min(a.alert_creation_time) AS first_created, max(a.alert_creation_time) AS last_created
FROM alert AS a JOIN tenant AS t USING (tenant_key), json_each(a.raw, '$.evidence') AS e
WHERE a.alert_creation_time > strftime('%Y-%m-%dT%H:%M:%f0000Z', 'now', '-30 days')
  AND e.type = 'object' AND e.value ->> '$.accountName' IS NOT NULL
GROUP BY t.tenant_id, 3, 4 HAVING count(DISTINCT a.alert_key) >= 3;

CREATE VIEW shared_titles AS -- titles of alerts created in the last 24 hours at three or more tenants
SELECT a.title, count(DISTINCT a.tenant_key) AS tenants, count(*) AS alerts, max(a.severity = 'High') AS high,
       min(a.alert_creation_time) AS first_created, max(a.alert_creation_time) AS last_created
FROM alert AS a
WHERE a.alert_creation_time > strftime('%Y-%m-%dT%H:%M:%f0000Z', 'now', '-1 day') AND a.title IS NOT NULL
GROUP BY a.title HAVING count(DISTINCT a.tenant_key) >= 3;

CREATE VIEW alert_times AS -- how long an alert waited: first touch, resolution, and how often it was opened again
SELECT t.tenant_id, t.name AS tenant_name, a.alert_id, a.severity, a.alert_creation_time,
       (SELECT min(c.last_update_time) FROM alert_change AS c
        WHERE c.alert_key = a.alert_key AND c.kind = 'updated'
          AND (c.fields -> '$.status' IS NOT NULL OR c.fields -> '$.assigned_to' IS NOT NULL
               OR c.fields -> '$.classification' IS NOT NULL OR c.fields -> '$.comments' IS NOT NULL)) AS first_touch_time,
       a.resolved_time,
       unixepoch(a.resolved_time) - unixepoch(a.alert_creation_time) AS seconds_to_resolve,
       (SELECT count(*) FROM alert_change AS c
        WHERE c.alert_key = a.alert_key AND c.kind = 'updated' AND c.fields ->> '$.status[0]' = 'Resolved') AS reopened
FROM alert AS a JOIN tenant AS t USING (tenant_key);

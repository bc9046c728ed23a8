-- One index over the alerts of all tenants by time, instead of three. The history of a tenant spans months, so each of its
-- alerts goes to another page of such an index than its neighbour: the fewer there are, the less is written for an alert.

DROP INDEX alert_by_update;
DROP INDEX alert_by_severity;
DROP INDEX alert_by_creation;
DROP INDEX alert_open;

CREATE INDEX alert_by_time -- what was updated last, with what is mostly asked for beside the time
ON alert (last_update_time, severity, status, tenant_key, alert_creation_time);

CREATE INDEX alert_open -- the same of what is not resolved
ON alert (last_update_time, severity, status, tenant_key) WHERE status IS NOT 'Resolved';

CREATE INDEX alert_ahead -- alerts that claim to be updated before they were created; mostly there are none
-- What was created since a time was updated since then. Nobody promises that: whoever asks by creation and goes by the
-- update looks here, how far back it has to begin.
ON alert (alert_creation_time, last_update_time) WHERE alert_creation_time > last_update_time;

DROP VIEW repeat_devices;
DROP VIEW repeat_accounts;
DROP VIEW shared_titles;

CREATE VIEW repeat_devices AS -- devices with three or more alerts created in the last 30 days
SELECT t.tenant_id, t.name AS tenant_name, a.machine_id, max(a.computer_dns_name) AS computer_dns_name,
       count(*) AS alerts, count(DISTINCT a.title) AS titles, sum(a.status IS NOT 'Resolved') AS open_alerts,
       min(a.alert_creation_time) AS first_created, max(a.alert_creation_time) AS last_created
FROM alert AS a JOIN tenant AS t USING (tenant_key)
WHERE a.alert_creation_time > strftime('%Y-%m-%dT%H:%M:%f0000Z', 'now', '-30 days')
  AND a.last_update_time >= coalesce(
      (SELECT min(min(b.last_update_time), strftime('%Y-%m-%dT%H:%M:%f0000Z', 'now', '-30 days'))
       FROM alert AS b INDEXED BY alert_ahead
       WHERE b.alert_creation_time > b.last_update_time
         AND b.alert_creation_time > strftime('%Y-%m-%dT%H:%M:%f0000Z', 'now', '-30 days')),
      strftime('%Y-%m-%dT%H:%M:%f0000Z', 'now', '-30 days'))
  AND a.machine_id IS NOT NULL
GROUP BY t.tenant_id, a.machine_id HAVING count(*) >= 3;

CREATE VIEW repeat_accounts AS -- accounts in the evidence of three or more alerts created in the last 30 days
SELECT t.tenant_id, t.name AS tenant_name, lower(e.value ->> '$.domainName') AS domain_name,
       lower(e.value ->> '$.accountName') AS account_name, max(e.value ->> '$.userPrincipalName') AS user_principal_name,
       count(DISTINCT a.alert_key) AS alerts, count(DISTINCT a.machine_id) AS devices,
       min(a.alert_creation_time) AS first_created, max(a.alert_creation_time) AS last_created
FROM alert AS a JOIN tenant AS t USING (tenant_key), json_each(a.raw, '$.evidence') AS e
WHERE a.alert_creation_time > strftime('%Y-%m-%dT%H:%M:%f0000Z', 'now', '-30 days')
  AND a.last_update_time >= coalesce(
      (SELECT min(min(b.last_update_time), strftime('%Y-%m-%dT%H:%M:%f0000Z', 'now', '-30 days'))
       FROM alert AS b INDEXED BY alert_ahead
       WHERE b.alert_creation_time > b.last_update_time
         AND b.alert_creation_time > strftime('%Y-%m-%dT%H:%M:%f0000Z', 'now', '-30 days')),
      strftime('%Y-%m-%dT%H:%M:%f0000Z', 'now', '-30 days'))
  AND e.type = 'object' AND e.value ->> '$.accountName' IS NOT NULL
GROUP BY t.tenant_id, 3, 4 HAVING count(DISTINCT a.alert_key) >= 3;

CREATE VIEW shared_titles AS -- titles of alerts created in the last 24 hours at three or more tenants
SELECT a.title, count(DISTINCT a.tenant_key) AS tenants, count(*) AS alerts, max(a.severity = 'High') AS high,
       min(a.alert_creation_time) AS first_created, max(a.alert_creation_time) AS last_created
FROM alert AS a
WHERE a.alert_creation_time > strftime('%Y-%m-%dT%H:%M:%f0000Z', 'now', '-1 day')
  AND a.last_update_time >= coalesce(
      (SELECT min(min(b.last_update_time), strftime('%Y-%m-%dT%H:%M:%f0000Z', 'now', '-1 day'))
       FROM alert AS b INDEXED BY alert_ahead
       WHERE b.alert_creation_time > b.last_update_time
         AND b.alert_creation_time > strftime('%Y-%m-%dT%H:%M:%f0000Z', 'now', '-1 day')),
      strftime('%Y-%m-%dT%H:%M:%f0000Z', 'now', '-1 day'))
  AND a.title IS NOT NULL
GROUP BY a.title HAVING count(DISTINCT a.tenant_key) >= 3;

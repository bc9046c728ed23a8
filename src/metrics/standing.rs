//! Owns how it stands at the moment of looking: tenants, gaps, lags, credentials, the store's files and the clocks.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Unit;

use super::{Look, StoreLook};
use crate::domain::TenantState;
use crate::entra::Expiry;
use crate::store::{Gauges, TenantGauge};

/// Bounds of lags in seconds: from a poll to a week.
const LAG_SECONDS: [f64; 10] = [60.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0, 604_800.0];

type Written = Result<(), std::fmt::Error>;

/// What one look has seen, on its way to text.
#[derive(Debug)]
pub(super) struct Standing(pub(super) Look);

impl Collector for Standing {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Written {
        let to = &mut encoder;
        if let Some(tick) = self.0.last_tick {
            one(
                to,
                "last_tick_timestamp",
                "When the fleet last dealt with a tick of its schedule",
                Some(&Unit::Seconds),
                tick.unix_seconds(),
            )?;
        }
        credentials(to, &self.0.ends)?;
        let readable = |to: &mut DescriptorEncoder<'_>, whether: bool| {
            one(to, "store_readable", "Whether the store could be read for this answer", None, i64::from(whether))
        };
        let gauges = match &self.0.store {
            // An alarm for stores that cannot be read has nothing to say before the store is open.
            StoreLook::NotOpen => return Ok(()),
            StoreLook::Unreadable => return readable(to, false),
            StoreLook::Read(gauges) => gauges,
        };
        readable(to, true)?;
        whole_fleet(to, gauges)?;
        files(to, gauges)?;
        let enabled: Vec<&TenantGauge> = enabled(gauges).collect();
        lags(to, &enabled)?;
        let shown = enabled.len() <= self.0.tenant_series_limit;
        one(to, "tenant_series_shown", "Whether each tenant has series of its own", None, i64::from(shown))?;
        if shown { each_tenant(to, &enabled) } else { Ok(()) }
    }
}

fn credentials(to: &mut DescriptorEncoder<'_>, ends: &[Expiry]) -> Written {
    let help = "When a credential of an app registration ends, by its position in the app's list";
    let series = ends.iter().map(|expiry| {
        let labels = [
            ("app", expiry.app.clone()),
            ("kind", expiry.kind.name().to_owned()),
            ("number", expiry.number.to_string()),
        ];
        (labels, expiry.ends_at.unix_seconds())
    });
    many(to, "credential_expiry_timestamp", help, Some(&Unit::Seconds), series)
}

fn enabled(gauges: &Gauges) -> impl Iterator<Item = &TenantGauge> {
    gauges.tenants.iter().filter(|tenant| tenant.state != TenantState::Disabled)
}

fn whole_fleet(to: &mut DescriptorEncoder<'_>, gauges: &Gauges) -> Written {
    let in_state = |state: TenantState| gauges.tenants.iter().filter(|tenant| tenant.state == state).count();
    let states = TenantState::ALL.map(|state| ([("state", state.name())], in_state(state)));
    many(to, "tenants", "Tenants in the store, by state", None, states)?;
    let gaps = gauges.gaps.iter().map(|(reason, count)| ([("reason", reason.name())], *count));
    many(to, "gaps_open", "Intervals that are known to be unread, by reason", None, gaps)?;
    one(to, "stored_alerts", "Alerts in the store", None, gauges.alerts)?;
    one(
        to,
        "quarantined_alerts",
        "Alerts that were set aside because they cannot be stored",
        None,
        gauges.quarantined,
    )?;
    let farthest = enabled(gauges).filter_map(|tenant| tenant.clock_skew_ms).max_by_key(|skew| skew.unsigned_abs());
    let help = "By how much this machine's clock is ahead of the service's, at the tenant where it is farthest off";
    one(to, "clock_skew", help, Some(&Unit::Seconds), milliseconds(farthest.unwrap_or(0)))
}

fn files(to: &mut DescriptorEncoder<'_>, gauges: &Gauges) -> Written {
    let bytes = Some(&Unit::Bytes);
    one(to, "store_database", "Length of the database file", bytes, gauges.database_bytes)?;
    one(to, "store_log", "Length of the database's write-ahead log", bytes, gauges.log_bytes)?;
    let help = "What may still be written to the store's file system";
    gauges.free_bytes.map_or(Ok(()), |free| one(to, "store_free_disk", help, bytes, free))
}

/// Counted anew at each look: how the lags are spread now, not over time.
fn lags(to: &mut DescriptorEncoder<'_>, enabled: &[&TenantGauge]) -> Written {
    let spread = Histogram::new(LAG_SECONDS);
    for lag in enabled.iter().filter_map(|tenant| tenant.lag) {
        spread.observe(f64::from(lag));
    }
    let help = "How far enabled tenants are behind now; a tenant without coverage is in none of the buckets";
    let metric = to.encode_descriptor("tenant_lag", &sentence(help), Some(&Unit::Seconds), MetricType::Histogram)?;
    spread.encode(metric)
}

fn each_tenant(to: &mut DescriptorEncoder<'_>, enabled: &[&TenantGauge]) -> Written {
    let seconds = Some(&Unit::Seconds);
    let series = |value: fn(&TenantGauge) -> i64| {
        enabled.iter().map(move |tenant| ([("tenant", tenant.id.as_str())], value(tenant)))
    };
    let help = "When a pass last went well; 0 when none did yet";
    many(to, "tenant_last_success_timestamp", help, seconds, series(|tenant| tenant.last_success.unwrap_or(0)))?;
    let help = "By the service's clock: what was updated before has been read, gaps aside; 0 when nothing was yet";
    many(to, "tenant_covered_until_timestamp", help, seconds, series(|tenant| tenant.covered_until.unwrap_or(0)))?;
    let help = "Failed passes since the last one that went well";
    many(to, "tenant_consecutive_failures", help, None, series(|tenant| i64::from(tenant.consecutive_failures)))
}

/// A gauge without labels.
fn one(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    value: impl EncodeGaugeValue,
) -> Written {
    to.encode_descriptor(name, &sentence(help), unit, MetricType::Gauge)?.encode_gauge(&value)
}

/// A gauge with a series for each set of labels.
fn many<L: EncodeLabelSet, V: EncodeGaugeValue>(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    series: impl IntoIterator<Item = (L, V)>,
) -> Written {
    let help = sentence(help);
    let mut metric = to.encode_descriptor(name, &help, unit, MetricType::Gauge)?;
    for (labels, value) in series {
        metric.encode_family(&labels)?.encode_gauge(&value)?;
    }
    Ok(())
}

/// What is counted is registered, which adds the full stop; here it is ours to add.
fn sentence(help: &str) -> String {
    format!("{help}.")
}

/// Milliseconds as seconds; beyond a month it does not matter by how much.
fn milliseconds(skew: i64) -> f64 {
    let most = 30 * 86_400 * 1_000;
    f64::from(i32::try_from(skew.clamp(-most, most)).unwrap_or(i32::MAX)) / 1_000.0
}

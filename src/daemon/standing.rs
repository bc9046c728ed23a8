//! Owns the line that `systemctl status` shows of a running daemon.

use std::time::Duration;

use crate::domain::TenantState;
use crate::fleet::Fleet;
use crate::notify;
use crate::stop::Stop;
use crate::store::TenantGauge;

/// How often it is looked, and so how often the line changes at most.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Shows how it stands with the fleet until the stop signal, if there is somebody to show it.
pub(super) async fn show(fleet: &Fleet, stop: &Stop) {
    if !notify::is_heard() {
        return;
    }
    let store = fleet.plan().ctx.store.clone();
    let mut shown = String::new();
    loop {
        let Ok(looked) = stop.or(store.gauges()).await else { return };
        // A store that cannot be read now is told by an event.
        if let Ok(gauges) = looked {
            let line = line(&gauges.tenants);
            if line != shown {
                notify::status(&line);
                shown = line;
            }
        }
        if stop.sleep(LOOK_EVERY).await.is_err() {
            return;
        }
    }
}

/// The enabled tenants by state, and how far the last of them is behind.
fn line(tenants: &[TenantGauge]) -> String {
    let enabled = || tenants.iter().filter(|tenant| tenant.state != TenantState::Disabled);
    let states = TenantState::ALL.into_iter().filter_map(|state| {
        let count = enabled().filter(|tenant| tenant.state == state).count();
        (count > 0).then(|| format!(", {count} {}", state.name()))
    });
    let lag = enabled().filter_map(|tenant| tenant.lag).max();
    let lag = lag.map_or_else(String::new, |seconds| format!("; lag at most {seconds} s"));
    format!("{} tenants{}{lag}", enabled().count(), states.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::TenantId;

    fn tenant(state: TenantState, lag: Option<u32>) -> TenantGauge {
        TenantGauge {
            id: TenantId::parse("00000000-0000-0000-0000-000000000001").expect("an id"),
            state,
            last_success: None,
            covered_until: None,
            consecutive_failures: 0,
            lag,
            clock_skew_ms: None,
        }
    }

    #[test]
    fn the_line_has_states_that_occur_and_the_longest_lag_of_enabled_tenants() {
        assert_eq!(line(&[]), "0 tenants");
        assert_eq!(line(&[tenant(TenantState::New, None)]), "1 tenants, 1 new");
        let fleet = [
            tenant(TenantState::Ok, Some(7)),
            tenant(TenantState::Unreachable, Some(240)),
            tenant(TenantState::Disabled, Some(9_000)),
            tenant(TenantState::Ok, Some(12)),
        ];
        assert_eq!(line(&fleet), "3 tenants, 2 ok, 1 unreachable; lag at most 240 s");
    }
}

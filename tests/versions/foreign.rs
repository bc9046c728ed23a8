//! Rows and tokens of another tenant are refused, and the operator is told.

use alertferry::domain::FailureClass;
use alertferry::pass::Options;
use alertferry_simulator::{Fault, Route, Simulator, Template};

use crate::support::{self, Rig, assert_equals_truth, guid, tenant};

async fn filled() -> (Simulator, Rig, alertferry::domain::Tenant) {
    let mut world = support::world();
    for n in 1..=2 {
        world.add_tenant(&guid(n));
    }
    world.fill(&guid(1), 5, &Template { evidence: 1, bytes: 900, ..Template::default() });
    let sim = Simulator::start(world).await.expect("a simulator");
    let rig = Rig::new(Options::default());
    let customer = tenant(&sim, &guid(1));
    rig.enrol(&[customer.clone(), tenant(&sim, &guid(2))]).await;
    (sim, rig, customer)
}

fn standing(rig: &Rig) -> Vec<String> {
    let sql = format!("SELECT state, reason, coalesce(remedy, '') FROM tenants WHERE tenant_id = '{}'", guid(1));
    rig.query_all(&sql).remove(0)
}

#[tokio::test]
async fn an_alert_of_another_tenant_is_stored_nowhere_and_fails_the_pass() {
    let (sim, rig, customer) = filled().await;
    let (foreign, before) = (guid(2), support::truth(&sim, &guid(1)));
    let fault = sim.faults().add(Fault::ForeignAlert { aad_tenant_id: foreign.clone() });
    let record = rig.pass(&customer).await;
    assert_eq!(record.failure.expect("it failed").class, FailureClass::Protocol);
    assert_eq!(record.outcome, "failed");
    let holds = format!("SELECT count(*) FROM alert WHERE raw LIKE '%{foreign}%'");
    assert_eq!(rig.query::<i64>(&holds), 0);
    let others = format!("SELECT count(*) FROM alerts WHERE tenant_id = '{foreign}'");
    assert_eq!(rig.query::<i64>(&others), 0);
    let [state, reason, remedy] = <[String; 3]>::try_from(standing(&rig)).expect("three columns");
    assert_eq!(state, "degraded");
    assert!(reason.contains(&foreign), "{reason}");
    assert!(remedy.contains("api_url"), "{remedy}");
    assert!(rig.query::<i64>("SELECT count(*) FROM gap") > 0, "what was not stored is known to be unread");
    // Whatever came before it in the answer may be stored, but only as it truly is.
    assert!(rig.stored(&guid(1)).iter().all(|(id, raw)| before.get(id) == Some(raw)));
    sim.faults().remove(fault);
    rig.pass_until_read(&customer).await;
    assert_equals_truth(&rig.path, &sim, &guid(1));
    assert_eq!(standing(&rig)[0], "ok");
}

#[tokio::test]
async fn a_token_of_another_tenant_is_never_used() {
    let (sim, rig, customer) = filled().await;
    sim.faults().add(Fault::ForeignTenantToken { tid: guid(2) });
    let record = rig.pass(&customer).await;
    let failure = record.failure.expect("it failed");
    assert_eq!(failure.class, FailureClass::Protocol, "{failure:?}");
    assert!(failure.reason.contains(&guid(2)), "{failure:?}");
    let asked: u64 = [1, 2].map(|n| sim.stats().requests(&guid(n), Route::Alerts)).iter().sum();
    assert_eq!(asked, 0, "the token went to the API");
    assert_eq!(rig.query::<i64>("SELECT count(*) FROM alert"), 0);
    let [state, reason, remedy] = <[String; 3]>::try_from(standing(&rig)).expect("three columns");
    assert_eq!((state.as_str(), reason), ("degraded", failure.reason));
    assert_eq!(remedy, failure.remedy);
    sim.faults().clear();
    let again = rig.ctx.clock.now();
    assert!(record.next_attempt_at > again, "it is tried again, not at once");
}

//! Reading one tenant end to end: the real client, real HTTP, a real store.

mod support;

use std::time::Duration;

use alertferry::pass::Options;
use alertferry_simulator::{Fault, FaultRule, PoisonScope, Route, Simulator, Template};
use support::{Rig, assert_equals_truth, guid, tenant, world};

const T: u64 = 1;

async fn filled(alerts: usize, template: &Template) -> (Simulator, String) {
    let id = guid(T);
    let mut world = world();
    world.add_tenant(&id);
    world.fill(&id, alerts, template);
    (Simulator::start(world).await.expect("a simulator"), id)
}

#[tokio::test]
async fn first_contact_reads_the_whole_history() {
    let (sim, id) = filled(300, &Template { evidence: 2, bytes: 1_500, ..Template::default() }).await;
    let rig = Rig::new(Options::default());
    let customer = tenant(&sim, &id);
    rig.enrol(std::slice::from_ref(&customer)).await;
    let record = rig.pass_until_read(&customer).await;
    assert_eq!(record.outcome, "read");
    assert_equals_truth(&rig.path, &sim, &id);
    assert_eq!(rig.query::<i64>("SELECT alert_count FROM tenants"), 300);
    assert_eq!(rig.query::<String>("SELECT state FROM tenants"), "ok");
    let before = sim.stats().requests(&id, Route::Alerts);
    let again = rig.pass(&customer).await;
    assert_eq!((again.requests, again.counts.created, again.counts.updated), (1, 0, 0));
    assert_eq!(sim.stats().requests(&id, Route::Alerts), before + 1);
}

/// Reads the tenant in answers of `page_size` rows and compares the store with the truth.
async fn all_is_read(sim: &Simulator, id: &str, page_size: u32) {
    let rig = Rig::new(Options { page_size, ..Options::default() });
    let customer = tenant(sim, id);
    rig.enrol(std::slice::from_ref(&customer)).await;
    rig.pass_until_read(&customer).await;
    assert_equals_truth(&rig.path, sim, id);
}

#[tokio::test]
async fn ties_larger_than_the_page_are_read_by_id() {
    for page_size in [1, 2, 7, 50] {
        let (sim, id) = filled(120, &Template { evidence: 1, bytes: 900, tie_group: 40, ..Template::default() }).await;
        all_is_read(&sim, &id, page_size).await;
    }
}

/// Each range of ids is asked for itself, and no range twice: an answer brings half of its rows on, or all of them.
#[tokio::test]
async fn an_instant_is_read_by_id_in_few_requests() {
    let shuffled = Fault::IgnoreOrderBy { shuffled: true };
    for (fault, most) in [(None, 16), (Some(shuffled), 40), (Some(Fault::RefuseIdRange), 28)] {
        let (sim, id) = filled(400, &Template { evidence: 0, bytes: 600, tie_group: 400, ..Template::default() }).await;
        if let Some(fault) = fault.clone() {
            sim.faults().add(fault);
        }
        let rig = Rig::new(Options { page_size: 50, ..Options::default() });
        let customer = tenant(&sim, &id);
        rig.enrol(std::slice::from_ref(&customer)).await;
        rig.pass_until_read(&customer).await;
        assert_equals_truth(&rig.path, &sim, &id);
        let requests = sim.stats().requests(&id, Route::Alerts);
        assert!(requests <= most, "{fault:?}: {requests} requests");
    }
}

#[tokio::test]
async fn a_service_that_ignores_or_refuses_orderby_is_read_all_the_same() {
    for fault in
        [Fault::RefuseOrderBy, Fault::IgnoreOrderBy { shuffled: false }, Fault::IgnoreOrderBy { shuffled: true }]
    {
        for page_size in [3, 25] {
            let (sim, id) =
                filled(120, &Template { evidence: 1, bytes: 900, tie_group: 10, ..Template::default() }).await;
            sim.faults().add(fault.clone());
            all_is_read(&sim, &id, page_size).await;
        }
    }
}

#[tokio::test]
async fn a_service_that_refuses_ranges_of_id_is_read_by_skipping() {
    let (sim, id) = filled(60, &Template { evidence: 1, bytes: 900, tie_group: 30, ..Template::default() }).await;
    sim.faults().add(Fault::RefuseIdRange);
    all_is_read(&sim, &id, 7).await;
}

#[tokio::test]
async fn an_alert_that_breaks_every_list_with_evidence_is_read_without_and_by_itself() {
    let (sim, id) = filled(200, &Template { evidence: 1, bytes: 900, ..Template::default() }).await;
    let poison = sim.world().with(|world| world.truth(&id)[77].id.clone());
    sim.faults()
        .add(FaultRule::new(Fault::PoisonAlert { id: poison, scope: PoisonScope::ExpandedLists }).on(Route::Any));
    let manual = alertferry::clock::ManualClock::at(support::ticks(support::START));
    let rig = Rig::in_dir(
        std::sync::Arc::new(tempfile::tempdir().expect("a directory")),
        Options::default(),
        vec![support::app()],
        alertferry::clock::Clock::Manual(manual.clone()),
    );
    let customer = tenant(&sim, &id);
    rig.enrol(std::slice::from_ref(&customer)).await;
    for _ in 0..60 {
        rig.pass(&customer).await;
        manual.advance(Duration::from_secs(60));
        sim.world().with(|world| world.advance(Duration::from_secs(60)));
        if rig.query::<i64>("SELECT count(*) FROM gap") == 0 {
            break;
        }
    }
    assert_equals_truth(&rig.path, &sim, &id);
}

#[tokio::test]
async fn a_statement_that_the_store_refuses_is_the_failure_of_its_tenant_alone() {
    let ids = [1, 2].map(guid);
    let mut world = world();
    for id in &ids {
        world.add_tenant(id);
        world.fill(id, 20, &Template::default());
    }
    let sim = Simulator::start(world).await.expect("a simulator");
    let rig = Rig::new(Options::default());
    let customers = ids.each_ref().map(|id| tenant(&sim, id));
    rig.enrol(&customers).await;
    let other = rusqlite::Connection::open(&rig.path).expect("the store");
    let refusing = "CREATE TRIGGER refusing BEFORE INSERT ON alert
        WHEN new.tenant_key = (SELECT tenant_key FROM tenant WHERE tenant_id = '00000000-0000-0000-0000-000000000001')
        BEGIN SELECT RAISE(ABORT, 'refused on purpose'); END";
    other.execute_batch(refusing).expect("a trigger");
    let (refused, read) = (rig.pass(&customers[0]).await, rig.pass(&customers[1]).await);
    let failure = refused.failure.expect("a failure");
    assert_eq!(failure.class, alertferry::domain::FailureClass::Local);
    assert!(failure.reason.contains("refused on purpose"), "{failure:?}");
    assert_eq!(read.failure, None);
    other.execute_batch("DROP TRIGGER refusing").expect("gone");
    for (customer, id) in customers.iter().zip(&ids) {
        rig.pass_until_read(customer).await;
        assert_equals_truth(&rig.path, &sim, id);
    }
}

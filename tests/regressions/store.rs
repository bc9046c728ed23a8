//! The store as its callers in the daemon have it: who is made due and who is not, who follows the changes, and who hears
//! of a transaction.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use alertferry_simulator::NewAlert;

use super::{MINUTE, Scene};

impl Scene {
    fn next_attempt(&self) -> String {
        self.rig.query("SELECT next_attempt_at FROM tenants")
    }
}

#[tokio::test]
async fn changes_are_followed_from_where_a_follower_stands() {
    let scene = Scene::new(100).await;
    let store = &scene.rig.ctx.store;
    assert_eq!(store.cursor("follower").await.expect("a number"), 0);
    scene.add(5, &NewAlert::default());
    scene.advance(MINUTE);
    scene.rig.pass(&scene.tenant).await;
    let seqs = async |after, limit| {
        let changes = store.changes_after(after, limit).await.expect("changes");
        changes.iter().map(|change| change.seq).collect::<Vec<_>>()
    };
    let all = seqs(0, 100).await;
    assert!(all.len() == 5 && all.is_sorted(), "{all:?}");
    assert_eq!(seqs(all[1], 2).await, all[2..4]);
    assert_eq!(seqs(all[4], 2).await, Vec::<i64>::new());
    store.move_cursor("follower", all[2]).await.expect("moved");
    store.move_cursor("follower", all[1]).await.expect("heard");
    assert_eq!(store.cursor("follower").await.expect("a number"), all[2], "never back");
    assert_eq!(store.cursor("other").await.expect("a number"), 0);
}

#[tokio::test]
async fn a_transaction_is_heard_by_those_who_watch_and_those_who_wait() {
    let scene = Scene::new(100).await;
    let store = &scene.rig.ctx.store;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hearing = Arc::clone(&heard);
    store.watch(move |took, error| hearing.lock().expect("no panic").push((took, error.is_some())));
    let committed = store.committed();
    let waiting = committed.notified();
    tokio::pin!(waiting);
    waiting.as_mut().enable();
    store.move_cursor("follower", 7).await.expect("moved");
    tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("rung");
    let heard = heard.lock().expect("no panic").clone();
    assert!(heard.len() == 1 && !heard[0].1, "{heard:?}");
    assert!(!store.is_stuck());
}

#[tokio::test]
async fn those_who_wait_for_somebody_to_act_are_made_due() {
    let scene = Scene::new(100).await;
    scene.change(|world, tenant| world.tenant_mut(tenant).expect("known").state.consented = false);
    scene.rig.pass(&scene.tenant).await;
    let waits = scene.next_attempt();
    scene.advance(MINUTE);
    let now = scene.clock_now().to_string();
    assert!(waits > now);
    let store = &scene.rig.ctx.store;
    // An app that is accepted again helps those whose trouble it was, and that was consent.
    for app in ["other", "main"] {
        store.retry_refused(Some(app.to_owned())).await.expect("asked");
        assert_eq!(scene.next_attempt(), waits, "{app}");
    }
    store.retry_refused(None).await.expect("asked");
    assert_eq!(scene.next_attempt(), scene.clock_now().to_string());
}

#[tokio::test]
async fn healthy_tenants_are_brought_forward_and_never_put_off() {
    let scene = Scene::new(100).await;
    scene.rig.pass(&scene.tenant).await;
    let (store, planned) = (&scene.rig.ctx.store, scene.next_attempt());
    let sooner = scene.clock_now().plus(MINUTE);
    store.bring_forward(vec![(scene.tenant.id, sooner.plus(60 * MINUTE))]).await.expect("asked");
    assert_eq!(scene.next_attempt(), planned);
    store.bring_forward(vec![(scene.tenant.id, sooner)]).await.expect("asked");
    assert_eq!(scene.next_attempt(), sooner.to_string());
    store.retry_all().await.expect("asked");
    assert_eq!(scene.next_attempt(), scene.clock_now().to_string());
    // Whoever was refused is due when somebody has acted, and not when the schedule changes.
    scene.change(|world, tenant| world.tenant_mut(tenant).expect("known").state.consented = false);
    scene.advance(120 * MINUTE);
    scene.rig.pass(&scene.tenant).await;
    let waits = scene.next_attempt();
    store.bring_forward(vec![(scene.tenant.id, scene.clock_now())]).await.expect("asked");
    assert_eq!(scene.next_attempt(), waits);
}

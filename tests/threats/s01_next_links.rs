//! S1: an answer that names another server as the place of its continuation.

use alertferry_simulator::{Fault, FaultRule, Route};

use crate::listeners::Server;
use crate::scene::house;
use crate::support::{on_threads, simulator};

#[test]
fn s01_a_foreign_next_link_gets_no_request() {
    on_threads(async {
        let sim = simulator(1, 50).await;
        let foreign = Server::stranger().await;
        let house = house(&sim, &sim.login_url());
        let (own, other) = (sim.address().port(), foreign.address);
        for url in [
            format!("http://{other}/api/alerts?$skip=10"),
            format!("http://{other}/"),
            format!("//{other}/api/alerts"),
            format!("http://127.0.0.1:{own}@{other}/api/alerts"),
            format!("https://{other}/api/alerts"),
        ] {
            sim.faults().clear();
            sim.faults().add(FaultRule::new(Fault::NextLink { url: url.clone() }).on(Route::Alerts));
            let before = sim.stats().total(Route::Alerts);
            let said = house.run(&["sync"]);
            assert!(said.code.is_some(), "{url}: {said:?}");
            assert!(sim.stats().total(Route::Alerts) > before, "{url}: the link was not seen");
            assert_eq!(foreign.seen.connections(), 0, "{url}");
        }
    });
}

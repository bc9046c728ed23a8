//! S2: a redirect, which would carry a form with the secret, or a token, to another server.

use alertferry_simulator::{Fault, FaultRule, Route};

use crate::listeners::Server;
use crate::scene::house;
use crate::support::{on_threads, simulator};

#[test]
fn s02_redirects_are_not_followed() {
    on_threads(async {
        let sim = simulator(1, 5).await;
        let foreign = Server::stranger().await;
        let house = house(&sim, &sim.login_url());
        for route in [Route::Login, Route::Alerts] {
            for status in [301, 302, 303, 307, 308] {
                for location in [format!("http://{}/", foreign.address), format!("//{}/", foreign.address)] {
                    sim.faults().clear();
                    sim.faults().add(FaultRule::new(Fault::Redirect { status, location: location.clone() }).on(route));
                    let before = sim.stats().total(route);
                    let said = house.run(&["check"]);
                    assert_eq!(said.code, Some(69), "{route:?} {status} {location}: {said:?}");
                    assert_eq!(sim.stats().total(route), before + 1, "{route:?} {status}: asked once");
                    let seen = (foreign.seen.connections(), foreign.seen.bytes().len());
                    assert_eq!(seen, (0, 0), "{route:?} {status} {location}");
                }
            }
        }
        sim.faults().clear();
        assert_eq!(house.run(&["check"]).code, Some(0), "without redirects all is well");
    });
}
